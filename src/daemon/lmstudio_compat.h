/* SPDX-License-Identifier: MIT */
/* lmstudio_compat.h - how LM Studio's programs find this server: by a port of its SDK's list
 * and by the files that its command line reads. */
#ifndef DOZE_DAEMON_LMSTUDIO_COMPAT_H
#define DOZE_DAEMON_LMSTUDIO_COMPAT_H

#include "daemon/listeners.h"
#include "daemon/lmstudio_home.h"
#include "supervisor/settings.h"

/* Open or close the port, write or remove the files, as the settings say. To be called again
 * when settings or ports have changed. A failure is a warning. */
void lmstudio_compat_update(const struct settings *settings, struct listeners *listeners,
                            struct lmstudio_home *home);

#endif
