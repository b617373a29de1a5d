/* SPDX-License-Identifier: MIT */
/* vectors.h - embeddings as bytes, written one at a time: an answer may hold millions of
 * numbers, too many for one tree of JSON values. Pure. */
#ifndef DOZE_API_VECTORS_H
#define DOZE_API_VECTORS_H

#include "api/dialect.h"
#include "api/translation.h"
#include "base/buf.h"

enum { DIMENSIONS_MAX = 1 << 20 };

/* Read the field `dimensions`, which OpenAI's and Ollama's bodies have, for request and
 * reply. */
bool vectors_read_dimensions(struct parsed *parsed, struct translation *t);

/* Collect a SERVICE_VECTOR: its first `dimensions` numbers, at length 1 again; 0: all. False if
 * the answer gets too large. */
bool vectors_keep(struct buf *vectors, const struct service_event *ev, int64_t dimensions);

/* A vector's floats, not aligned. */
struct vector {
    const char *bytes;
    size_t count;
};

/* The next vector of those that were collected; *at begins with 0. False: no more. */
bool vectors_next(const struct buf *vectors, size_t *at, struct vector *ret_vector);

/* Append a JSON array. */
void vector_write(const struct vector *vector, struct buf *out);

#endif
