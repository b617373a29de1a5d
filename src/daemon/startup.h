/* SPDX-License-Identifier: MIT */
/* startup.h - what the process sets up before it serves. */
#ifndef DOZE_DAEMON_STARTUP_H
#define DOZE_DAEMON_STARTUP_H

#include <stddef.h>

#include "base/error.h"
#include "daemon/serve_options.h"

/* Make doze's own models folder; a named one that does not exist may be a mistake, and the log
 * says so. */
void startup_make_model_dirs(const struct serve_options *options);

/* Raise the limit of descriptors as far as the system allows. Returns how many are for
 * connections: some are reserved for workers, the history and files. */
size_t startup_raise_descriptors(void);

/* Have glibc return memory: otherwise it keeps that of large answers, and one heap for each
 * pool thread. */
void startup_keep_heap_small(void);

#endif
