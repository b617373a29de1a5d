/* SPDX-License-Identifier: MIT */
/* state_lock.h - one daemon per state folder. */
#ifndef DOZE_DAEMON_STATE_LOCK_H
#define DOZE_DAEMON_STATE_LOCK_H

#include "base/error.h"

/* Lock the folder, which exists, until the descriptor is closed or the process ends, and write
 * the process's id to its file "lock". -1 with ERR_IO: another process holds it, which the
 * sentence names, or the file cannot be made. */
int state_lock(const char *folder, struct error *err);

#endif
