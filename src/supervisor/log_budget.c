/* SPDX-License-Identifier: MIT */
#include "supervisor/log_budget.h"

enum log_verdict log_budget_take(struct log_budget *budget, msec now) {
    if (budget->lines == 0 || now - budget->since >= LOG_BUDGET_SPAN_MS) {
        *budget = (struct log_budget){ .since = now };
    }
    if (budget->lines > LOG_BUDGET_LINES) return LOG_NO_LINE;
    return budget->lines++ < LOG_BUDGET_LINES ? LOG_LINE : LOG_LAST_LINE;
}
