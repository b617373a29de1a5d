/* SPDX-License-Identifier: MIT */
/* reply.h - answers in JSON and events of a stream, as all routes send them. */
#ifndef DOZE_DAEMON_ROUTES_REPLY_H
#define DOZE_DAEMON_ROUTES_REPLY_H

#include <yyjson.h>

#include "http/server.h"

enum { REPLY_JSON_MAX = 64 << 20 }; /* bytes of one answer */

/* Answer 200 with the JSON and clear it; 500 if it did not fit into the buffer. Ends the
 * exchange. */
void reply_json(struct exchange *x, struct buf *json);
/* The same with a document, which is freed. */
void reply_doc(struct exchange *x, yyjson_mut_doc *doc);

/* Write an event of a stream that has begun. id: NULL for none; event: "" for none; each has at
 * most 100 bytes. json has no newlines. */
void reply_event(struct exchange *x, const char *id, const char *event, const char *json);

#endif
