/* SPDX-License-Identifier: MIT */
/*
 * lmstudio_home.h - the files by which LM Studio's command line finds a server, in LM Studio's
 * folder. Written only where LM Studio itself is not installed.
 *
 * The folder: what ~/.lmstudio-home-pointer names, else ~/.cache/lm-studio if it exists, else
 * ~/.lmstudio. Below .internal in it: http-server.json, http-server-config.json, lms-key-2.
 */
#ifndef DOZE_DAEMON_LMSTUDIO_HOME_H
#define DOZE_DAEMON_LMSTUDIO_HOME_H

#include <stdbool.h>

#include "base/error.h"

struct lmstudio_home;

/* Never NULL. user_home: $HOME; NULL: nothing is written. */
struct lmstudio_home *lmstudio_home_new(const char *user_home);
/* Accepts NULL. */
void lmstudio_home_free(struct lmstudio_home *home);

/* Is LM Studio itself installed? */
bool lmstudio_home_is_installed(const struct lmstudio_home *home);

/* What the files say: sdk_port has the WebSocket, also while the HTTP server is stopped; port
 * and host are the HTTP server's, now or when it is started again. */
struct lmstudio_ports {
    int sdk_port, port;
    const char *host;
};

/* Write the files that have changed, if LM Studio is not installed and no other doze of this
 * user, which still runs, has written them. True also if there was nothing to do. */
bool lmstudio_home_write(struct lmstudio_home *home, const struct lmstudio_ports *ports,
                         struct error *err);

/* Remove what was written, unless another server has written its own since. */
void lmstudio_home_remove(struct lmstudio_home *home);

/* Does the passkey end with the content of lms-key-2, which only this user can read? LM
 * Studio's own file is accepted, too. Reads the file. */
bool lmstudio_home_knows(const struct lmstudio_home *home, const char *passkey);

#endif
