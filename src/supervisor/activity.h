/* SPDX-License-Identifier: MIT */
/*
 * activity.h - how fast an instance generates and how much of its context is used. Pure.
 *
 * A piece of an answer counts as one token while it streams; the worker's own figures replace
 * the count when the answer is complete.
 */
#ifndef DOZE_SUPERVISOR_ACTIVITY_H
#define DOZE_SUPERVISOR_ACTIVITY_H

#include <stdint.h>

#include "base/msec.h"

struct activity {
    uint64_t tokens;  /* generated so far, of all requests */
    double rate;      /* tokens per second: lately, or of the last answer */
    double answer;    /* seconds that an answer takes, prompt included; 0: none has ended */
    int64_t context;  /* tokens in the context after the last answer */
    uint64_t sampled; /* `tokens` at the last sample */
    msec sampled_at;  /* 0: none since work began */
};

/* Work begins after an idle time: forget the rate. */
void activity_begin(struct activity *activity, msec now);

/* A token was generated. */
void activity_token(struct activity *activity);

/* An answer is complete. seconds: of its generation; 0 leaves the rate as it is. */
void activity_done(struct activity *activity, int64_t prompt_tokens, int64_t completion_tokens,
                   double seconds);

/* An answer has held a parallel place for this many seconds. */
void activity_held(struct activity *activity, double seconds);

/* Seconds until the request with this place in line, from 1, has one of the parallel places,
 * all of which are taken; 0: not known. */
double activity_wait(const struct activity *activity, uint32_t place, uint32_t parallel);

/* Update the rate, unless the last sample is less than 400 ms ago. */
void activity_sample(struct activity *activity, msec now);

#endif
