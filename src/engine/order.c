/* SPDX-License-Identifier: MIT */
#include "engine/order.h"

#include <stdbool.h>

#include "engine/prompt_room.h"

/* How long it has waited, in units of its own processing time. */
static double age(const struct order_prompt *p, double speed) {
    return (double)p->waited / 1e6 * speed / (double)p->due;
}

/* Is a's turn before b's? */
static bool is_before(const struct order_prompt *a, const struct order_prompt *b,
                      double speed) {
    double age_a = age(a, speed), age_b = age(b, speed);
    bool aged_a = age_a >= 1, aged_b = age_b >= 1;
    if (aged_a != aged_b) return aged_a;
    if (aged_a && age_a > age_b) return true;
    if (aged_a && age_a < age_b) return false;
    if (!aged_a && a->due != b->due) return a->due < b->due;
    return a->arrived < b->arrived;
}

int order_next(const struct order_prompt *prompts, int count, double speed) {
    int next = -1;
    for (int i = 0; i < count; i++) {
        if (prompts[i].due == 0) continue;
        if (next < 0 || is_before(&prompts[i], &prompts[next], speed)) next = i;
    }
    return next;
}

static size_t in_time(double speed) {
    double tokens = speed > 0 ? speed * ORDER_PIECE_SECONDS : PROMPT_PIECE;
    return tokens < 1e6 ? (size_t)tokens : 1000000;
}

/* From PROMPT_PIECE on it is rounded down, because half of that takes long. */
static size_t round_batch(size_t tokens) {
    if (tokens >= PROMPT_PIECE) return tokens - tokens % PROMPT_PIECE;
    return (tokens + ORDER_PIECE_LEAST / 2) / ORDER_PIECE_LEAST * ORDER_PIECE_LEAST;
}

size_t order_piece(double speed, size_t answers) {
    size_t batch = round_batch(in_time(speed) + answers);
    size_t least = answers + ORDER_PIECE_LEAST / 2;
    while (batch < least) batch += ORDER_PIECE_LEAST;
    return batch - answers;
}

/* The new value counts half, so that one delayed batch does not shrink the pieces for long. */
double order_speed(double speed, size_t tokens, int64_t lasted) {
    if (tokens < ORDER_PIECE_LEAST / 2 || lasted <= 0) return speed;
    double measured = (double)tokens * 1e6 / (double)lasted;
    if (measured < speed || speed <= 0) {
        if (2 * tokens < order_piece(speed, 0)) return speed;
    }
    return speed > 0 ? (speed + measured) / 2 : measured;
}
