/* SPDX-License-Identifier: MIT */
/* wait.c - what a request waits for, and about how long. */
#include "base/clock.h"
#include "supervisor/internal.h"

/* What is left takes as long for each token as what is done. */
static void wait_for_prompt(const struct request_call *request, struct service_wait *ret) {
    int64_t done = request->prompt.done - request->prompt.cached;
    int64_t left = request->prompt.total - request->prompt.done;
    if (!request->prompt.begun_usec || left <= 0 || request->generating) return;
    double taken = (double)(clock_boottime_usec() - request->prompt.begun_usec) / 1e6;
    *ret = (struct service_wait){ .kind = WAIT_PROMPT,
                                  .done = request->prompt.done,
                                  .total = request->prompt.total };
    if (done > 0) ret->seconds = taken / (double)done * (double)left;
}

/* The answers that have to end first; 0 where that is not known. */
static double answers_take(const struct supervisor *sup, const struct lc_wait *wait,
                           bool *ret_known) {
    double most = 0;
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        double answer = sup->instances[i].activity.answer;
        if (wait->runs[i] && answer <= 0) *ret_known = false;
        if (wait->runs[i] && answer > most) most = answer;
    }
    return most;
}

static void wait_for_load(const struct supervisor *sup, const struct lc_wait *wait,
                          struct service_wait *ret) {
    bool known = true;
    double answers = answers_take(sup, wait, &known);
    *ret = (struct service_wait){ .kind = WAIT_IN_LINE, .place = wait->place };
    if (known) ret->seconds = answers + (double)(wait->gate + wait->load) / 1000;
}

static void wait_for_place(const struct supervisor *sup, const struct lc_wait *wait,
                           struct service_wait *ret) {
    uint32_t parallel = sup->lc.slots[wait->slot].plan.parallel;
    *ret = (struct service_wait){ .kind = WAIT_IN_LINE, .place = wait->place };
    ret->seconds = activity_wait(&sup->instances[wait->slot].activity, wait->place, parallel);
}

void supervisor_tell_wait(const struct supervisor *sup, const struct lc_wait *wait,
                          struct service_wait *ret) {
    if (wait->outcome == LC_OUTCOME_QUEUED)
        wait_for_place(sup, wait, ret);
    else if (wait->outcome == LC_OUTCOME_WAITS)
        wait_for_load(sup, wait, ret);
    else
        *ret = (struct service_wait){ .kind = WAIT_LOAD,
                                      .done = sup->lc.slots[wait->slot].permille,
                                      .total = 1000,
                                      .seconds = (double)wait->load / 1000 };
}

void supervisor_wait(struct supervisor *sup, call_id id, struct service_wait *ret) {
    struct call *call = call_find(sup->calls, id);
    struct lc_wait wait;
    *ret = (struct service_wait){ .kind = WAIT_UNKNOWN };
    if (!call || call->kind != CALL_REQUEST) return;
    uint32_t check = supervisor_place_in_checks(sup, call);
    if (check > 0) {
        *ret = (struct service_wait){ .kind = WAIT_IN_LINE, .place = check };
    } else if (call->request.dispatched) {
        wait_for_prompt(&call->request, ret);
    } else if (lifecycle_wait(&sup->lc, id, &wait)) {
        supervisor_tell_wait(sup, &wait, ret);
    }
}
