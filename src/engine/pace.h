/* SPDX-License-Identifier: MIT */
/*
 * pace.h - how much longer a step takes with guesses than without: what they have to be worth.
 * Pure: time is an argument.
 *
 * A step is what all answers that are being written take part in: the draft model's batches, if
 * there is one, and the model's own. Answers with guesses do without them for a few steps at
 * first, and now and then, so that there is something to compare with.
 */
#ifndef DOZE_ENGINE_PACE_H
#define DOZE_ENGINE_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pace_kind {
    PACE_PLAIN, /* no guesses */
    PACE_FOUND, /* those that were found (lookup.h) */
    PACE_MADE,  /* those of a draft model, alone or beside such as were found */
};
enum { PACE_KINDS = PACE_MADE + 1 };

enum {
    PACE_SAMPLES = 7, /* steps that are remembered, of which the median counts */
    PACE_LEAST = 3,   /* of them make a figure */
    PACE_STALE = 256, /* steps with guesses after which those without are measured again */
    PACE_CROWD = 8,   /* this many answers at once, or more, count alike */
};

struct pace_steps {
    int64_t us[PACE_SAMPLES];
    unsigned count; /* ever; the last PACE_SAMPLES are there */
};

/* All 0: nothing was measured yet. */
struct pace {
    struct pace_steps steps[PACE_CROWD][PACE_KINDS];
    unsigned since[PACE_CROWD]; /* steps with guesses since the last one without */
    double reading; /* us for a token that the draft model has not seen; 0: not known */
};

/* A step of this many answers (> 0) took `us` microseconds. */
void pace_note(struct pace *pace, int answers, enum pace_kind kind, int64_t us);

/* Should the next step of this many answers be one without guesses? */
bool pace_wants_plain(const struct pace *pace, int answers);

/* The time of a step with guesses, in steps without; 0: not known. */
double pace_cost(const struct pace *pace, int answers, enum pace_kind kind);

/* The draft model read this many tokens (> 0) in `us` microseconds. */
void pace_note_reading(struct pace *pace, size_t tokens, int64_t us);

/* May guesses that lately did not pay be tried again, though the draft model has to read
 * `tokens` first? It may take PACE_SHARE of the time that the answer's `said` tokens took. */
#define PACE_SHARE 0.03
bool pace_may_read(const struct pace *pace, int answers, size_t tokens, size_t said);

#endif
