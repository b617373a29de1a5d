/* SPDX-License-Identifier: MIT */
#include "base/byte_budget.h"

#include <assert.h>

bool byte_budget_has_room(const struct byte_budget *budget, size_t len, size_t all) {
    size_t reserve = len <= budget->small ? budget->reserve : 0;
    return all <= budget->total + reserve;
}

bool byte_budget_refuse(struct error *err) {
    error_set(err, ERR_QUEUE_FULL,
              "Other requests use all the memory for request bodies; try again later.");
    err->retry_after = 1;
    return false;
}

bool byte_hold_take(struct byte_budget *budget, size_t bytes, size_t own, struct byte_hold *ret,
                    struct error *err) {
    bool alone = !budget || budget->held == own;
    if (!alone && !byte_budget_has_room(budget, bytes, budget->held + bytes))
        return byte_budget_refuse(err);
    if (budget) budget->held += bytes;
    *ret = (struct byte_hold){ budget, bytes };
    return true;
}

struct byte_hold byte_hold_split(struct byte_hold *hold, size_t bytes) {
    assert(bytes <= hold->bytes);
    hold->bytes -= bytes;
    return (struct byte_hold){ hold->budget, bytes };
}

void byte_hold_release(struct byte_hold *hold) {
    if (hold->budget) hold->budget->held -= hold->bytes;
    *hold = (struct byte_hold){ 0 };
}
