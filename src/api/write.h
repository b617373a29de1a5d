/* SPDX-License-Identifier: MIT */
/* write.h - begins the JSON document of an answer, and writes what several dialects share.
 * Pure. */
#ifndef DOZE_API_WRITE_H
#define DOZE_API_WRITE_H

#include <yyjson.h>

#include "api/service.h"
#include "base/buf.h"

/* A document with an empty object as its root, for json_write_end(). */
yyjson_mut_doc *answer_new(void);

/* A server-sent event {"type":type}, where the type is also the event's name, and its bytes:
 * event_send() appends them and frees the document. */
yyjson_mut_doc *event_new(const char *type);
void event_send(yyjson_mut_doc *doc, struct buf *out);

/* Borrows the text until the document is written; NULL becomes null. */
void add_text_or_null(yyjson_mut_doc *doc, yyjson_mut_val *out, const char *name,
                      const char *text);

/* The member "usage" in the form of a Responses object. */
void add_response_usage(yyjson_mut_doc *doc, yyjson_mut_val *out,
                        const struct service_usage *u);

/* ISO 8601, UTC, milliseconds; null for 0. */
void add_time(yyjson_mut_doc *doc, yyjson_mut_val *out, const char *name, int64_t unix_ms);

#endif
