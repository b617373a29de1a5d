/* SPDX-License-Identifier: MIT */
/*
 * order.h - whose prompt is processed next, and how much of it while answers are being written
 * (docs/lifecycle.md, Order among the requests of one model). Pure: time is an argument.
 *
 * The shortest remaining prompt is first. One that has waited for others as long as its own
 * processing would take is *aged*, and goes before all that are not; of several aged ones, the
 * one that has waited longest for its length. So a short prompt passes a long one, prompts of
 * one length end in turn, and nobody is passed for ever.
 */
#ifndef DOZE_ENGINE_ORDER_H
#define DOZE_ENGINE_ORDER_H

#include <stddef.h>
#include <stdint.h>

/* How long an answer that is being written stands still for a piece of a prompt. */
#define ORDER_PIECE_SECONDS 0.1
enum { ORDER_PIECE_LEAST = 8 /* tokens; fewer cost as much as these */ };

struct order_prompt {
    size_t due;       /* tokens still to be processed; 0: it wants nothing */
    int64_t waited;   /* us that batches with others' prompts and not with this one took */
    uint64_t arrived; /* of equals the lowest is first */
};

/* The index of the one whose turn it is; -1: none wants anything. speed: tokens per second, as
 * prompts are processed now; 0: not known, and none is aged. */
int order_next(const struct order_prompt *prompts, int count, double speed);

/* How many prompt tokens a batch takes beside `answers` tokens of answers, so that it lasts
 * about ORDER_PIECE_SECONDS. speed: as order_speed() gives it. The whole batch is a multiple of
 * ORDER_PIECE_LEAST, because the kernels compute the remainder row by row. From PROMPT_PIECE
 * tokens on it is a multiple of that: whole tiles of attention are always rounded alike, so an
 * answer does not depend on the measured speed. At least ORDER_PIECE_LEAST / 2. */
size_t order_piece(double speed, size_t answers);

/* What is known of the speed after another batch beside answers. speed: what was known; 0:
 * nothing. tokens: of prompts in the batch. lasted: us of all of it, which is what the answers
 * have waited. A batch of less than half a piece, most of which is for the answers, does not
 * make it lower. */
double order_speed(double speed, size_t tokens, int64_t lasted);

#endif
