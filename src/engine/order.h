/* SPDX-License-Identifier: MIT */
/*
 * order.h - whose prompt is processed next, and how much of it while answers are being written
 * (docs/lifecycle.md, Order among the requests of one model). Pure: time is an argument.
 *
 * The shortest remaining prompt is first. One that has waited for others as long as its own
 * processing would take is *aged*, and goes before all that are not; of several aged ones, the
 * one goes first that has waited longest relative to its length. So a short prompt passes a
 * long one, prompts of one length end in turn, and none starves.
 */
#ifndef DOZE_ENGINE_ORDER_H
#define DOZE_ENGINE_ORDER_H

#include <stddef.h>
#include <stdint.h>

/* How long a piece of a prompt may stop the answers that are being written. */
#define ORDER_PIECE_SECONDS 0.1
enum { ORDER_PIECE_LEAST = 8 /* tokens; fewer cost as much as these */ };

struct order_prompt {
    size_t due;       /* tokens still to be processed; 0: none */
    int64_t waited;   /* us that batches took that had others' prompts and not this one */
    uint64_t arrived; /* of equals the lowest is first */
};

/* The index of the prompt whose turn it is; -1: none has tokens to process. speed: at which
 * prompts are processed, tokens per second; 0: not known, then none is aged. */
int order_next(const struct order_prompt *prompts, int count, double speed);

/* How many prompt tokens a batch takes beside `answers` tokens of answers, so that it lasts
 * about ORDER_PIECE_SECONDS. speed: as order_speed() gives it. The whole batch is a multiple of
 * ORDER_PIECE_LEAST, because the kernels compute the remainder row by row. From PROMPT_PIECE
 * tokens on it is a multiple of that: whole tiles of attention are always rounded alike, so an
 * answer does not depend on the measured speed. At least ORDER_PIECE_LEAST / 2. */
size_t order_piece(double speed, size_t answers);

/* The new estimate of the speed after another batch beside answers. speed: the estimate so
 * far; 0: none. tokens: of prompts in the batch. lasted: us of the whole batch, for which the
 * answers waited. A batch of less than half a piece, which is mostly for the answers, does not
 * lower the estimate. */
double order_speed(double speed, size_t tokens, int64_t lasted);

#endif
