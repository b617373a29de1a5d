/* SPDX-License-Identifier: MIT */
/* status.c - how things stand: all instances with their speeds, and the machine's memory. */
#include "base/memory.h"
#include "supervisor/internal.h"

/* Tokens in the context of the longest request that runs; else after the last answer. */
static int64_t context_used(struct supervisor *sup, int slot) {
    int64_t longest = -1;
    for (uint32_t i = 0; i < sup->lc.request_count; i++) {
        const struct lc_request *request = &sup->lc.requests[i];
        if (request->slot != slot || request->state != LC_RUNNING) continue;
        const struct call *call = call_find(sup->calls, request->id);
        if (call && call->context_tokens > longest) longest = call->context_tokens;
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
        if (view.running > 0) activity_sample(activity, supervisor_now());
        ret_instances[count++] = (struct instance_status){
            .view = view,
            .generation = sup->lc.slots[slot].generation,
            .context_used = context_used(sup, slot),
            .tokens_per_second = activity->rate,
        };
    }
    return count;
}

/* Mapped weights count as available, so what others take is what is neither available nor
 * private to an instance. */
struct memory_status supervisor_memory(const struct supervisor *sup) {
    nbytes total = memory_total(), available = memory_available();
    if (available > total) available = total;
    nbytes used = total - available, ours = supervisor_private_bytes(sup);
    return (struct memory_status){ .total = total,
                                   .available = available,
                                   .other = used > ours ? used - ours : 0,
                                   .limit = sup->config.settings->memory_limit };
}

bool supervisor_is_working(const struct supervisor *sup) {
    for (int slot = 0; slot < LC_MAX_SLOTS; slot++) {
        if (lifecycle_view(&sup->lc, slot).running > 0) return true;
    }
    return false;
}
