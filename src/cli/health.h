/* SPDX-License-Identifier: MIT */
/* health.h - GET /health: who answers there. */
#ifndef DOZE_CLI_HEALTH_H
#define DOZE_CLI_HEALTH_H

#include <stdint.h>

#include "cli/client.h"

struct health {
    int64_t pid; /* of the daemon, on its own machine */
    char version[64];
};

/* OUTCOME_REFUSED if something else than doze answers. */
enum outcome health_fetch(const struct cli *cli, struct health *ret, struct error *err);

#endif
