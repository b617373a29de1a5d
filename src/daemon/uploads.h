/* SPDX-License-Identifier: MIT */
/*
 * uploads.h - files that SDK clients send before a conversation, in memory: the newest few.
 *
 * They count with request bodies and give way to these, the oldest first: who still needs one
 * uploads it again. Pure except for its own storage.
 */
#ifndef DOZE_DAEMON_UPLOADS_H
#define DOZE_DAEMON_UPLOADS_H

#include "api/lmstudio_ws/session.h"

enum { UPLOADS_MAX = 64, UPLOAD_BYTES_MAX = 64 << 20 }; /* base64, of one file */

struct uploads;

/* Borrows the budget, whose give_way is the uploads' for their life; NULL: nothing is
 * counted. */
struct uploads *uploads_new(struct byte_budget *budget);
void uploads_free(struct uploads *uploads);

struct upload;

/* Begin to keep a file; the oldest ones are removed to make room. own: bytes of its message
 * that the budget has already. NULL with ERR_TOO_LARGE, or ERR_QUEUE_FULL while requests use
 * the memory. Borrows base64 until uploads_put, which has to follow. */
struct upload *uploads_begin(struct uploads *uploads, const char *name, const char *base64,
                             size_t own, struct error *err);
/* Read it, which takes a while for a large one: safe on any thread. */
void upload_read(struct upload *file);
/* Keep what was read; takes it. ERR_INVALID_REQUEST if it is not base64. *ret is valid until
 * the next call. */
bool uploads_put(struct uploads *uploads, struct upload *file, struct lmws_file *ret,
                 struct error *err);
bool uploads_find(const struct uploads *uploads, const char *identifier, struct lmws_file *ret);
/* What was put or found stays as it is, and gives way to nobody, until it is released as often,
 * even if it is found no longer. */
void uploads_hold(const struct lmws_file *file);
void uploads_release(const struct lmws_file *file);

#endif
