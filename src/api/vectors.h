/* SPDX-License-Identifier: MIT */
/* vectors.h - embeddings as text, written as they come: an answer may hold millions of numbers,
 * too many for one tree of JSON values, and for the loop at once. Pure. */
#ifndef DOZE_API_VECTORS_H
#define DOZE_API_VECTORS_H

#include "api/dialect.h"
#include "api/translation.h"
#include "base/buf.h"

enum { DIMENSIONS_MAX = 1 << 20 };

/* Read the field `dimensions`, which OpenAI's and Ollama's bodies have, for request and
 * reply. */
bool vectors_read_dimensions(struct parsed *parsed, struct translation *t);

enum { VECTORS_TEXT_MAX = 256 << 20 }; /* bytes of the vectors of one answer, as JSON */

struct vector {
    const float *values;
    size_t count;
};

/* Those of a SERVICE_VECTOR: the first `dimensions`, at length 1 again; 0: all. Borrowed from
 * the event or from *room, which the caller clears. */
struct vector vector_of(const struct service_event *ev, int64_t dimensions, struct buf *room);

/* Append a JSON array. */
void vector_write(const struct vector *vector, struct buf *out);

#endif
