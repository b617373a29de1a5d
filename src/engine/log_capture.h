/* SPDX-License-Identifier: MIT */
/*
 * log_capture.h - keeps the last errors that libllama logs, instead of letting it write to
 * stderr: its functions fail with NULL and say why only in the log.
 */
#ifndef DOZE_ENGINE_LOG_CAPTURE_H
#define DOZE_ENGINE_LOG_CAPTURE_H

#include "engine/link.h"

/* Call before any other function of libllama. */
void log_capture_start(void);

/* Also send errors to the daemon's log, at most 10 in 10 seconds. */
void log_capture_forward(struct link *link);

/* While muted, what libllama logs is dropped: it calls a batch that we abort a failure. */
void log_capture_mute(bool muted);

/* Did libllama refuse "auto" flash attention? Only its log says so. */
bool log_capture_flash_refused(void);

/* The errors since the last call, joined to one line; "" if none. Borrowed until the next
 * error. */
const char *log_capture_take(void);

#endif
