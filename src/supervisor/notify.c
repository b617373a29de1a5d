/* SPDX-License-Identifier: MIT */
/* notify.c - transitions, for the loads that wait for room or for a worker, and for the unloads
 * that wait for the end of one. */
#include "supervisor/internal.h"

/* The sinks may ask for things anew, so the requests are looked up one by one. */
static struct call *waiting_call(struct supervisor *sup, int slot, uint32_t index) {
    const struct lc_request *request = &sup->lc.requests[index];
    if (request->slot != slot || request->state != LC_WAITING) return NULL;
    return call_find(sup->calls, request->id);
}

void supervisor_notify_loading(struct supervisor *sup, int slot) {
    struct instance_view view = supervisor_view(sup, slot);
    for (uint32_t i = 0; i < sup->lc.request_count; i++) {
        const struct call *call = waiting_call(sup, slot, i);
        if (!call || !call->load_sink.on_loading) continue;
        call->load_sink.on_loading(call->load_sink.ctx, call->id, &view);
    }
}

static void notify_evicting(struct supervisor *sup, int victim, int slot) {
    struct instance_view view = supervisor_view(sup, victim);
    for (uint32_t i = 0; i < sup->lc.request_count; i++) {
        const struct call *call = waiting_call(sup, slot, i);
        if (!call || !call->load_sink.on_evicting) continue;
        call->load_sink.on_evicting(call->load_sink.ctx, call->id, &view);
    }
}

static void notify_gone(struct supervisor *sup, int slot) {
    struct call *call = call_find(sup->calls, sup->instances[slot].unloading);
    sup->instances[slot].unloading = 0;
    if (!call) return;
    struct load_sink sink = call->load_sink;
    call_id id = call->id;
    call_close(sup->calls, call);
    if (sink.on_end) sink.on_end(sink.ctx, id, NULL, NULL);
}

void supervisor_notify(struct supervisor *sup, const struct lc_action *action) {
    bool begins = action->from != LC_DRAINING && action->from != LC_UNLOADING;
    bool leaves = action->to == LC_DRAINING || action->to == LC_UNLOADING;
    if (begins && leaves && action->reason == LC_BECAUSE_EVICTED && action->by >= 0) {
        notify_evicting(sup, action->slot, action->by);
    }
    if (action->to == LC_ABSENT) notify_gone(sup, action->slot);
}
