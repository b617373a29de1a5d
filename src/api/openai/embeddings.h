/* SPDX-License-Identifier: MIT */
/* embeddings.h - the answer to /v1/embeddings, collected and written. */
#ifndef DOZE_API_OPENAI_EMBEDDINGS_H
#define DOZE_API_OPENAI_EMBEDDINGS_H

#include "api/dialect.h"

/* Collect a SERVICE_VECTOR; false if the answer gets too large. */
bool openai_vectors_keep(struct buf *vectors, const struct service_event *ev);
/* The whole answer, of what openai_vectors_keep has collected. */
void openai_embeddings_format(const struct buf *vectors, const struct reply_options *options,
                              const struct service_usage *usage, struct buf *out);

#endif
