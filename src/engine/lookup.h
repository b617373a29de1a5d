/* SPDX-License-Identifier: MIT */
/*
 * lookup.h - guesses of how an answer continues, from its own conversation: what followed
 * the last few tokens where they stood before. Code that is edited and texts that are quoted
 * repeat long pieces. Pure.
 *
 * One batch judges all tokens of a guess, which takes longer than one token. So a guess is
 * short at first, longer after one that was right, and an answer whose guesses give fewer
 * tokens than their steps could have given without them (pace.h) goes on without, for a while:
 * four times as long each time that they are tried again and still do not pay.
 */
#ifndef DOZE_ENGINE_LOOKUP_H
#define DOZE_ENGINE_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LOOKUP_MOST = 8,        /* tokens of a guess */
    LOOKUP_FIRST = 2,       /* tokens of the first one, and of one after a wrong one */
    LOOKUP_KEY = 3,         /* tokens that must have occurred before */
    LOOKUP_BACK = 1 << 14,  /* how far back, in tokens */
    LOOKUP_TRIAL = 6,       /* steps after which it is known whether they pay */
    LOOKUP_REMEMBERED = 24, /* after this many steps the older ones count half */
    LOOKUP_REST = 64,       /* tokens for which an answer goes on without guesses, at first */
    LOOKUP_MOST_REST = 4096,
};

/* Of one answer. All 0: nothing was guessed yet. */
struct lookup {
    size_t drafted, accepted; /* tokens in all */
    size_t open;              /* of the last guess: not judged */
    size_t length;            /* of the last guess */
    size_t right;             /* of its tokens */
    size_t next;              /* tokens of the next one; 0: LOOKUP_FIRST */
    size_t steps, said;       /* recent ones with guesses, and the tokens that those gave */
    size_t rest;              /* tokens that it goes on without guesses */
    size_t next_rest;         /* the same, the next time; 0: LOOKUP_REST */
    size_t rests;             /* how often it has stopped guessing */
};

/* Before each token: may there be guesses of what follows it? */
bool lookup_may(struct lookup *lookup);

/* Guess what follows the tokens: at most `most` of them, and LOOKUP_MOST. How many; 0: there is
 * no guess. Negative tokens, which are pictures, are never guessed. */
size_t lookup_draft(const struct lookup *lookup, const int32_t *tokens, size_t count,
                    size_t most, int32_t *ret_draft);

/* A guess of `length` tokens goes into the batch. */
void lookup_begin(struct lookup *lookup, size_t length);
/* Its next token is right. */
void lookup_accept(struct lookup *lookup);
/* The one after those is wrong, or there is none: choose how to go on. cost: of a step with
 * guesses, in steps without; 0: not known. trial: steps before it may be left; LOOKUP_TRIAL. */
void lookup_end(struct lookup *lookup, double cost, size_t trial);

#endif
