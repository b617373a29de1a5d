/* SPDX-License-Identifier: MIT */
/* health.h - GET /health: which server answers. */
#ifndef DOZE_CLI_HEALTH_H
#define DOZE_CLI_HEALTH_H

#include <stdint.h>

#include "cli/client.h"

struct health {
    int64_t pid; /* of the daemon, on its machine */
    char version[64];
    char warning[320]; /* of who can reach it; "": none */
};

/* OUTCOME_REFUSED if another program than doze answers. */
enum outcome health_fetch(const struct cli *cli, struct health *ret, struct error *err);

#endif
