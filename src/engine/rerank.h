/* SPDX-License-Identifier: MIT */
/* rerank.h - a query and a document as a ranker was trained to see them, and their score. */
#ifndef DOZE_ENGINE_RERANK_H
#define DOZE_ENGINE_RERANK_H

#include <stdbool.h>

#include "base/error.h"
#include "engine/prompt.h"

/* Replace *ret by the tokens of the two texts. A document that does not fit is cut at its end;
 * ERR_CONTEXT_LENGTH: the query leaves no room for any. */
bool rerank_read_pair(const struct prompt_limits *limits, const struct input *query,
                      const struct input *document, struct tokens *ret, struct error *err)
    __attribute__((warn_unused_result));

/* 0 to 1, of what the model's head gave. ERR_INTERNAL: that is not a number. */
bool rerank_score(const struct model *model, const float *head, float *ret_score,
                  struct error *err) __attribute__((warn_unused_result));

#endif
