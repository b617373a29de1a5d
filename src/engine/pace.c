/* SPDX-License-Identifier: MIT */
#include "engine/pace.h"

#include <stdlib.h>
#include <string.h>

static int crowd_of(int answers) {
    return answers < PACE_CROWD ? answers - 1 : PACE_CROWD - 1;
}

static void add(struct pace_steps *steps, int64_t us) {
    steps->us[steps->count++ % PACE_SAMPLES] = us;
}

/* Drop stale figures when there are new ones. */
void pace_note(struct pace *pace, int answers, enum pace_kind kind, int64_t us) {
    int crowd = crowd_of(answers);
    struct pace_steps *steps = &pace->steps[crowd][kind];
    if (kind == PACE_PLAIN) {
        if (pace->since[crowd] >= PACE_STALE) steps->count = 0;
        pace->since[crowd] = 0;
    } else {
        pace->since[crowd]++;
    }
    add(steps, us);
}

bool pace_wants_plain(const struct pace *pace, int answers) {
    int crowd = crowd_of(answers);
    return pace->steps[crowd][PACE_PLAIN].count < PACE_LEAST ||
           pace->since[crowd] >= PACE_STALE;
}

static int by_time(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The median, so that one delayed step does not move it. */
static int64_t median(const struct pace_steps *steps) {
    int64_t sorted[PACE_SAMPLES];
    size_t count = steps->count < PACE_SAMPLES ? (size_t)steps->count : PACE_SAMPLES;
    memcpy(sorted, steps->us, sizeof sorted);
    qsort(sorted, count, sizeof *sorted, by_time);
    return sorted[count / 2];
}

double pace_cost(const struct pace *pace, int answers, enum pace_kind kind) {
    const struct pace_steps *with = &pace->steps[crowd_of(answers)][kind];
    const struct pace_steps *without = &pace->steps[crowd_of(answers)][PACE_PLAIN];
    if (with->count < PACE_LEAST || without->count < PACE_LEAST) return 0;
    int64_t plain = median(without);
    return plain > 0 ? (double)median(with) / (double)plain : 0;
}

void pace_note_reading(struct pace *pace, size_t tokens, int64_t us) {
    pace->reading = (double)us / (double)tokens;
}

bool pace_may_read(const struct pace *pace, int answers, size_t tokens, size_t said) {
    const struct pace_steps *without = &pace->steps[crowd_of(answers)][PACE_PLAIN];
    if (without->count == 0) return false;
    return (double)tokens * pace->reading <=
           PACE_SHARE * (double)said * (double)median(without);
}
