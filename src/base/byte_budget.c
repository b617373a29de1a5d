/* SPDX-License-Identifier: MIT */
#include "base/byte_budget.h"

#include <assert.h>

bool byte_budget_has_room(const struct byte_budget *budget, size_t len, size_t all) {
    size_t reserve = len <= budget->small ? budget->reserve : 0;
    return all <= budget->total + reserve;
}

static size_t stays(const struct byte_budget *budget) {
    return budget->held - budget->yields;
}

static void make_room(struct byte_budget *budget, size_t len, size_t more) {
    while (budget->yields > 0 && !byte_budget_has_room(budget, len, budget->held + more))
        budget->give_way(budget->ctx);
}

bool byte_budget_find_room(struct byte_budget *budget, size_t len, size_t more) {
    if (!byte_budget_has_room(budget, len, stays(budget) + more)) return false;
    make_room(budget, len, more);
    return true;
}

bool byte_budget_refuse(const struct byte_budget *budget, struct error *err) {
    static const char bodies[] =
        "Other requests use all the memory for request bodies; try again later.";
    error_set(err, ERR_QUEUE_FULL, "%s", budget->refusal ? budget->refusal : bodies);
    err->retry_after = 1;
    return false;
}

bool byte_hold_take(struct byte_budget *budget, size_t bytes, size_t own, struct byte_hold *ret,
                    struct error *err) {
    bool alone = !budget || stays(budget) == own;
    if (!alone && !byte_budget_find_room(budget, bytes, bytes))
        return byte_budget_refuse(budget, err);
    if (budget) {
        make_room(budget, bytes, bytes);
        budget->held += bytes;
    }
    *ret = (struct byte_hold){ .budget = budget, .bytes = bytes };
    return true;
}

bool byte_hold_grow(struct byte_hold *hold, size_t bytes, struct error *err) {
    struct byte_budget *budget = hold->budget;
    size_t more = bytes > hold->bytes ? bytes - hold->bytes : 0;
    bool alone = !budget || stays(budget) == hold->bytes;
    assert(!hold->yields);
    if (more == 0) return true;
    if (!alone && !byte_budget_find_room(budget, bytes, more))
        return byte_budget_refuse(budget, err);
    if (budget) {
        make_room(budget, bytes, more);
        budget->held += more;
    }
    hold->bytes = bytes;
    return true;
}

struct byte_hold byte_hold_split(struct byte_hold *hold, size_t bytes) {
    assert(bytes <= hold->bytes && !hold->yields);
    hold->bytes -= bytes;
    return (struct byte_hold){ .budget = hold->budget, .bytes = bytes };
}

void byte_hold_yield(struct byte_hold *hold) {
    if (hold->budget && !hold->yields) hold->budget->yields += hold->bytes;
    hold->yields = true;
}

void byte_hold_stay(struct byte_hold *hold) {
    if (hold->budget && hold->yields) hold->budget->yields -= hold->bytes;
    hold->yields = false;
}

void byte_hold_release(struct byte_hold *hold) {
    if (hold->budget) hold->budget->held -= hold->bytes;
    if (hold->budget && hold->yields) hold->budget->yields -= hold->bytes;
    *hold = (struct byte_hold){ 0 };
}
