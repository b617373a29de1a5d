/* SPDX-License-Identifier: MIT */
/*
 * log_budget.h - how many lines a worker, or the SDK's clients together, may put into the
 * daemon's log. What they say is not trusted, and a broken model can say the same thing at
 * every token. Pure.
 */
#ifndef DOZE_SUPERVISOR_LOG_BUDGET_H
#define DOZE_SUPERVISOR_LOG_BUDGET_H

#include "base/msec.h"

/* Enough for the report of a sanitizer, too little to fill a disk: 1.3 GB a day at most. */
enum { LOG_BUDGET_LINES = 150, LOG_BUDGET_SPAN_MS = 10000 };

struct log_budget {
    msec since; /* when the span began */
    unsigned lines;
};

enum log_verdict {
    LOG_LINE,      /* the line may be printed */
    LOG_LAST_LINE, /* print instead of it that lines are left out until the span is over */
    LOG_NO_LINE,
};

/* One more line at this time, which never goes back. */
enum log_verdict log_budget_take(struct log_budget *budget, msec now);

#endif
