/* SPDX-License-Identifier: MIT */
/* embeddings.h - the answer to /v1/embeddings. */
#ifndef DOZE_API_OPENAI_EMBEDDINGS_H
#define DOZE_API_OPENAI_EMBEDDINGS_H

#include "api/dialect.h"

/* Append the entry of the next vector. */
void openai_embeddings_add(struct buf *entries, int index, const struct service_event *ev,
                           const struct reply_options *options);

/* The whole answer, of all entries. */
void openai_embeddings_format(const struct buf *entries, const struct reply_options *options,
                              const struct service_usage *usage, struct buf *out);

#endif
