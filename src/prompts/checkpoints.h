/* SPDX-License-Identifier: MIT */
/*
 * checkpoints.h - the checkpoints of one sequence, and where a prompt gets new ones. Pure: what
 * is in a checkpoint is the caller's business.
 *
 * The state of recurrent models cannot be cut, and of a sliding window only the last part is
 * saved. A checkpoint is a copy of that state at a place where a later prompt is likely to
 * differ from this one.
 */
#ifndef DOZE_PROMPTS_CHECKPOINTS_H
#define DOZE_PROMPTS_CHECKPOINTS_H

#include <stdbool.h>
#include <stddef.h>

#include "prompts/entry.h"

struct checkpoint {
    size_t tokens; /* of the sequence when it was taken */
    size_t bytes;
    unsigned char *data; /* allocated; the set frees it */
};

/* In rising order of tokens. All zero is an empty set. */
struct checkpoints {
    struct checkpoint items[ENTRY_MAX_CHECKPOINTS];
    int count;
};

/* Take over a checkpoint that has more tokens than the others. In a full set the second one
 * makes room: the first is what most prompts share. */
void checkpoints_add(struct checkpoints *set, struct checkpoint checkpoint);

/* Free those of more than `tokens` tokens. */
void checkpoints_cut(struct checkpoints *set, size_t tokens);

/* The last one of at most `tokens` tokens; NULL if there is none. */
const struct checkpoint *checkpoints_before(const struct checkpoints *set, size_t tokens);

/* Where the processing of a prompt halts for checkpoints. */
struct checkpoint_marks {
    bool now;         /* take one before anything is processed */
    size_t places[2]; /* in rising order; 0: none */
};

/* The marks of a prompt of `end` tokens, the first `from` of which are processed and the first
 * `common` of which another prompt has, too. A place where prompts differed gets a checkpoint
 * if it is at least 256 tokens from the beginning and 64 before the end. */
struct checkpoint_marks checkpoints_plan(const struct checkpoints *set, size_t from,
                                         size_t common, size_t end);

#endif
