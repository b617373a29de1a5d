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

/* Never NULL. user_home: $HOME; NULL: nothing will be written. */
struct lmstudio_home *lmstudio_home_new(const char *user_home);
void lmstudio_home_free(struct lmstudio_home *home);

/* Is LM Studio itself there? */
bool lmstudio_home_is_installed(const struct lmstudio_home *home);

/* Write the files for a server on this port, if LM Studio is not installed. True also if there was
 * nothing to do. */
bool lmstudio_home_write(struct lmstudio_home *home, int port, const char *host,
                         struct error *err);

/* Remove what was written, unless another server has written its own since. */
void lmstudio_home_remove(struct lmstudio_home *home);

/* Does the passkey end with the content of lms-key-2, which only this user can read? */
bool lmstudio_home_knows(const struct lmstudio_home *home, const char *passkey);

#endif
