/* SPDX-License-Identifier: MIT */
/* write.h - begins the JSON document of an answer and turns it into bytes. Pure. */
#ifndef DOZE_API_WRITE_H
#define DOZE_API_WRITE_H

#include <yyjson.h>

#include "base/buf.h"

/* A document with an empty object as its root. Ends with answer_write. */
yyjson_mut_doc *answer_new(void);

/* Append the document and free it. A full buffer is marked (buf.overflowed). */
void answer_write(yyjson_mut_doc *doc, struct buf *out);

/* Borrows the text until the document is written; NULL becomes null. */
void add_text_or_null(yyjson_mut_doc *doc, yyjson_mut_val *out, const char *name,
                      const char *text);

/* ISO 8601, UTC, milliseconds; null for 0. */
void add_time(yyjson_mut_doc *doc, yyjson_mut_val *out, const char *name, int64_t unix_ms);

#endif
