/* SPDX-License-Identifier: MIT */
/* embeddings.h - the answer to /v1/embeddings. */
#ifndef DOZE_API_OPENAI_EMBEDDINGS_H
#define DOZE_API_OPENAI_EMBEDDINGS_H

#include "api/dialect.h"

/* The whole answer, of what vectors_keep has collected. */
void openai_embeddings_format(const struct buf *vectors, const struct reply_options *options,
                              const struct service_usage *usage, struct buf *out);

#endif
