/* SPDX-License-Identifier: MIT */
#include "supervisor/activity.h"

#include <stdbool.h>

/* Over shorter spans the rate shows the batching. */
enum { SAMPLE_MS = 400 };

void activity_begin(struct activity *activity, msec now) {
    activity->sampled = activity->tokens;
    activity->sampled_at = now;
    activity->rate = 0;
}

void activity_token(struct activity *activity) {
    activity->tokens++;
}

void activity_done(struct activity *activity, int64_t prompt_tokens, int64_t completion_tokens,
                   double seconds) {
    activity->context = prompt_tokens + completion_tokens;
    if (seconds > 0 && completion_tokens > 0) {
        activity->rate = (double)completion_tokens / seconds;
    }
}

/* The last answer counts half: the next is likely to resemble it. */
void activity_held(struct activity *activity, double seconds) {
    bool first = activity->answer <= 0;
    activity->answer = first ? seconds : (activity->answer + seconds) / 2;
}

double activity_wait(const struct activity *activity, uint32_t place, uint32_t parallel) {
    return activity->answer * (double)place / (double)(parallel ? parallel : 1);
}

void activity_sample(struct activity *activity, msec now) {
    msec span = now - activity->sampled_at;
    if (span < SAMPLE_MS) return;
    double rate = (double)(activity->tokens - activity->sampled) * 1000 / (double)span;
    activity->rate = activity->rate > 0 ? (activity->rate + rate) / 2 : rate;
    activity->sampled = activity->tokens;
    activity->sampled_at = now;
}
