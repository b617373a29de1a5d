/* SPDX-License-Identifier: MIT */
/* choice.h - collects one answer for a client that does not stream. */
#ifndef DOZE_API_CHOICE_H
#define DOZE_API_CHOICE_H

#include "api/service.h"
#include "base/buf.h"

enum {
    CHOICE_TEXT_MAX = 64 << 20,      /* bytes of the text, and of the reasoning */
    CHOICE_ARGUMENTS_MAX = 16 << 20, /* bytes, of one call */
    CHOICE_LOGPROBS_MAX = 1 << 18,   /* tokens */
    ANSWER_RATED_MAX = 1 << 18,      /* of all choices of an answer: about 60 MB */
};

struct choice_call {
    char *id, *name;
    struct buf arguments;
};

/* The collected parts stay empty in a stream. Begins zeroed. */
struct choice {
    bool begun; /* its first chunk, the one with the role, was written */
    bool ended;
    bool cut; /* longer than the limits above; shown as finish_reason "length" */
    enum stop_reason stop_reason;
    int64_t tokens; /* of the answer, once it has ended */
    struct buf text, reasoning;
    struct choice_call calls[DELTA_MAX_CALLS];
    int call_count;
    yyjson_mut_doc *logprobs; /* an array of the worker's entries; NULL while there are none */
    size_t rated;             /* tokens in it, and the likeliest ones named for each */
    size_t logprobs_held;     /* bytes of it */
    int64_t text_offset;      /* characters before the next token that has logprobs */
};

void choice_clear(struct choice *choice);
/* Collect a SERVICE_DELTA. */
void choice_keep(struct choice *choice, const struct service_event *ev);

/* Bytes that are collected. */
size_t choice_held(const struct choice *choice);

/* The indices of `count` choices that have ended, by the mean log probability of their tokens,
 * the best first. Those without log probabilities are last; equal ones stay in their order. */
void choice_rank(const struct choice *choices, int count, int *ret_order);

/* Characters of UTF-8 text. */
int64_t choice_text_length(const char *text);

#endif
