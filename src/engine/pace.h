/* SPDX-License-Identifier: MIT */
/*
 * pace.h - how much longer a step takes with guesses than without, which guesses must make up
 * for. Pure: time is an argument.
 *
 * All answers that are being written share a step: the batches of the draft model, if there is
 * one, and of the model. Answers with guesses go without them for a few steps at the beginning
 * and occasionally later, so that there is something to compare with.
 */
#ifndef DOZE_ENGINE_PACE_H
#define DOZE_ENGINE_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pace_kind {
    PACE_PLAIN, /* no guesses */
    PACE_FOUND, /* those that were found (lookup.h) */
    PACE_MADE,  /* those of a draft model, alone or with found ones */
};
enum { PACE_KINDS = PACE_MADE + 1 };

enum {
    PACE_SAMPLES = 7, /* steps that are remembered; their median counts */
    PACE_LEAST = 3,   /* the fewest that make a figure */
    PACE_STALE = 256, /* steps with guesses after which those without are measured again */
    PACE_CROWD = 8,   /* for this many answers or more there is one figure */
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

/* May guesses that did not pay be tried again, although the draft model has to read `tokens`
 * first? That may take PACE_SHARE of the time of the answer's `said` tokens. */
#define PACE_SHARE 0.03
bool pace_may_read(const struct pace *pace, int answers, size_t tokens, size_t said);

#endif
