/* SPDX-License-Identifier: MIT */
/*
 * rerank.h - the dialect of POST /v1/rerank: how well documents fit a query. Pure.
 *
 * Its shape is what Jina's and Cohere's APIs have in common; errors are OpenAI's.
 */
#ifndef DOZE_API_RERANK_RERANK_H
#define DOZE_API_RERANK_RERANK_H

#include "api/dialect.h"

/* OP_RERANK. */
extern const struct dialect dialect_rerank;

#endif
