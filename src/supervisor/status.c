/* SPDX-License-Identifier: MIT */
/* status.c - all instances as they are now, with their speeds. */
#include "base/clock.h"
#include "supervisor/internal.h"

/* Tokens in the context of the longest request that runs; else after the last answer. */
static int64_t context_used(struct supervisor *sup, int slot) {
    int64_t longest = -1;
    for (uint32_t i = 0; i < sup->lc.request_count; i++) {
        const struct lc_request *request = &sup->lc.requests[i];
        if (request->slot != slot || request->state != LC_RUNNING) continue;
        const struct call *call = call_find(sup->calls, request->id);
        if (!call || call->kind != CALL_REQUEST) continue;
        if (call->request.context_tokens > longest) longest = call->request.context_tokens;
    }
    return longest >= 0 ? longest : sup->instances[slot].activity.context;
}

size_t supervisor_instances(struct supervisor *sup,
                            struct instance_status ret_instances[LC_MAX_SLOTS]) {
    size_t count = 0;
    for (int slot = 0; slot < LC_MAX_SLOTS; slot++) {
        if (!supervisor_shows(sup, slot)) continue;
        struct activity *activity = &sup->instances[slot].activity;
        struct instance_view view = supervisor_view(sup, slot);
        if (view.running > 0) activity_sample(activity, clock_boottime());
        ret_instances[count++] = (struct instance_status){
            .view = view,
            .generation = sup->lc.slots[slot].generation,
            .context_used = context_used(sup, slot),
            .tokens_per_second = activity->rate,
        };
    }
    return count;
}

struct work_counts supervisor_counts(const struct supervisor *sup) {
    struct work_counts counts = { 0 };
    for (int slot = 0; slot < LC_MAX_SLOTS; slot++) {
        if (!supervisor_shows(sup, slot)) continue;
        struct lc_view view = lifecycle_view(&sup->lc, slot);
        counts.instances++;
        counts.running += view.running;
        counts.waiting += view.waiting;
    }
    return counts;
}

bool supervisor_is_working(const struct supervisor *sup) {
    for (int slot = 0; slot < LC_MAX_SLOTS; slot++) {
        if (lifecycle_view(&sup->lc, slot).running > 0) return true;
    }
    return false;
}
