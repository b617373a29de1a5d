/* SPDX-License-Identifier: MIT */
/*
 * prepare.h - the work of a preparer (preparers.h): it turns requests into prompts, answers
 * those that need nothing else, and judges the tokens of an answer that has a grammar.
 */
#ifndef DOZE_ENGINE_PREPARE_H
#define DOZE_ENGINE_PREPARE_H

#include <stdint.h>

#include "engine/model.h"
#include "engine/preparer.h"

struct prepare_rules {
    const struct model *model;
    int64_t limit_ms; /* for a request */
};

/* For one token of an answer. */
enum { PREPARE_TOKEN_MS = 1000 };

/* For the starter; ctx: struct prepare_rules. */
void prepare_warm(void *ctx);

/* ctx: struct prepare_rules. Messages: prepared.h. */
void prepare_serve(void *ctx, struct preparer_self *self);

#endif
