/* SPDX-License-Identifier: MIT */
/*
 * uploads.h - files that SDK clients send before a conversation, in memory: the newest few.
 * Pure except for its own storage.
 */
#ifndef DOZE_DAEMON_UPLOADS_H
#define DOZE_DAEMON_UPLOADS_H

#include "api/lmstudio_ws/session.h"

enum { UPLOADS_MAX = 64, UPLOADS_BYTES_MAX = 128 << 20 }; /* base64, all together */

struct uploads;

struct uploads *uploads_new(void);
void uploads_free(struct uploads *uploads);

/* Keep a file; the oldest ones are removed to make room. Fails with ERR_INVALID_REQUEST for
 * what is not base64, or ERR_TOO_LARGE. *ret is valid until the next call. */
bool uploads_put(struct uploads *uploads, const char *name, const char *base64,
                 struct lmws_file *ret, struct error *err);
bool uploads_find(const struct uploads *uploads, const char *identifier, struct lmws_file *ret);

#endif
