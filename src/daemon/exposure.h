/* SPDX-License-Identifier: MIT */
/* exposure.h - the warning about a server that other machines can reach. Pure. */
#ifndef DOZE_DAEMON_EXPOSURE_H
#define DOZE_DAEMON_EXPOSURE_H

#include <stdbool.h>

struct exposure {
    const char *host; /* listened on, that other machines reach; NULL: none */
    bool has_key, has_tls;
};

enum { EXPOSURE_SIZE = 320 };

/* One sentence, or "" if there is nothing to warn of. */
void exposure_warn(const struct exposure *exposure, char ret_text[EXPOSURE_SIZE]);

#endif
