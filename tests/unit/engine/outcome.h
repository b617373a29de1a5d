/* SPDX-License-Identifier: MIT */
/* outcome.h - what came of one request: everything its frames said, put together. */
#ifndef DOZE_TEST_ENGINE_OUTCOME_H
#define DOZE_TEST_ENGINE_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yyjson.h>

#include "base/buf.h"
#include "ipc/frame.h"

enum { OUTCOME_MAX_CALLS = 4, OUTCOME_MAX_VECTORS = 64 };
/* What is reused of a prompt ends with a whole group of tokens (slots.c). */
enum { OUTCOME_GROUP = 4 };

struct outcome {
    bool started, ended, failed; /* failed: the end was an ERROR */
    char *prompt;                /* what STARTED reported; NULL: nothing */
    int deltas, prompts;
    struct buf content, reasoning, logprobs; /* logprobs: the tokens' texts joined by | */
    struct {
        struct buf id, name, arguments;
    } calls[OUTCOME_MAX_CALLS];
    int call_count;
    float *vectors[OUTCOME_MAX_VECTORS];
    size_t vector_len;
    int vector_count;
    yyjson_doc *end; /* DONE's or ERROR's payload */
};

void outcome_init(struct outcome *outcome);
void outcome_clear(struct outcome *outcome);

/* One frame of the request. Asserts that the order is right and every text is whole UTF-8. */
void outcome_add(struct outcome *outcome, const struct frame *frame);

/* Fields of the end. */
int64_t outcome_int(const struct outcome *outcome, const char *name);
double outcome_real(const struct outcome *outcome, const char *name);
const char *outcome_str(const struct outcome *outcome, const char *name); /* NULL: absent */

#endif
