/* SPDX-License-Identifier: MIT */
/* notify.c - tells calls how the load or the unload that they wait for goes on. */
#include "supervisor/internal.h"

/* The call of this request of the lifecycle, if it waits for the slot. */
static const struct call *waiting_call(const struct supervisor *sup, int slot, uint32_t index) {
    const struct lc_request *request = &sup->lc.requests[index];
    if (request->slot != slot || request->state != LC_WAITING) return NULL;
    return call_find(sup->calls, request->id);
}

static void emit_loading(const struct call *call, double progress) {
    struct service_event ev = { .kind = SERVICE_LOADING, .progress = progress };
    call->request.sink.on_event(call->request.sink.ctx, call->id, &ev);
}

/* Everyone who waits for this load is told how far it is. */
static void notify_progress(struct supervisor *sup, int slot) {
    double progress = sup->lc.slots[slot].permille / 1000.0;
    for (uint32_t i = 0; i < sup->lc.request_count; i++) {
        const struct call *call = waiting_call(sup, slot, i);
        const struct load_sink *sink = call ? call_load_sink(call) : NULL;
        if (call && call->kind == CALL_REQUEST) emit_loading(call, progress);
        if (sink && sink->on_progress) sink->on_progress(sink->ctx, call->id, progress);
    }
    supervisor_report_progress(sup, slot);
}

void supervisor_notify_event(struct supervisor *sup, const struct lc_event *ev) {
    if (ev->kind == LC_EV_PROGRESS) {
        const struct lc_slot *slot = &sup->lc.slots[ev->slot];
        bool goes_on = slot->state == LC_LOADING && slot->generation == ev->generation;
        if (goes_on) notify_progress(sup, ev->slot);
    } else if (ev->kind == LC_EV_REQUEST) {
        const struct call *call = call_find(sup->calls, ev->request);
        bool waits = call && call->kind == CALL_REQUEST && !call->request.dispatched;
        if (waits) emit_loading(call, 0);
    }
}

void supervisor_notify_loading(struct supervisor *sup, int slot) {
    struct instance_view view = supervisor_view(sup, slot);
    for (uint32_t i = 0; i < sup->lc.request_count; i++) {
        const struct call *call = waiting_call(sup, slot, i);
        const struct load_sink *sink = call ? call_load_sink(call) : NULL;
        if (sink && sink->on_loading) sink->on_loading(sink->ctx, call->id, &view);
    }
}

static void notify_evicting(struct supervisor *sup, int victim, int slot) {
    struct instance_view view = supervisor_view(sup, victim);
    for (uint32_t i = 0; i < sup->lc.request_count; i++) {
        const struct call *call = waiting_call(sup, slot, i);
        const struct load_sink *sink = call ? call_load_sink(call) : NULL;
        if (sink && sink->on_evicting) sink->on_evicting(sink->ctx, call->id, &view);
    }
}

bool supervisor_unloads(const struct supervisor *sup, call_id call) {
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        if (sup->instances[i].unloading == call) return true;
    }
    return parked_unloads(sup->parked, call);
}

struct ended_load {
    struct supervisor *sup;
    int slot;
};

static void post_failed(struct call *call, void *ctx) {
    const struct ended_load *ended = ctx;
    if (call_load_sink(call) && call->load.failed && call->load.slot == ended->slot)
        supervisor_post_call(ended->sup, call);
}

static void notify_gone(struct supervisor *sup, int slot) {
    struct ended_load ended = { sup, slot };
    calls_each(sup->calls, post_failed, &ended);
    call_id id = sup->instances[slot].unloading;
    sup->instances[slot].unloading = 0;
    struct call *call = id && !supervisor_unloads(sup, id) ? call_find(sup->calls, id) : NULL;
    if (call) call_done(sup->calls, call);
}

void supervisor_notify(struct supervisor *sup, const struct lc_action *action) {
    bool begins = action->from != LC_DRAINING && action->from != LC_UNLOADING;
    bool leaves = action->to == LC_DRAINING || action->to == LC_UNLOADING;
    if (begins && leaves && action->reason == LC_BECAUSE_EVICTED && action->by >= 0) {
        notify_evicting(sup, action->slot, action->by);
    }
    if (action->to == LC_LOADING)
        supervisor_end_checks(sup, sup->instances[action->slot].model_key);
    if (action->to == LC_ABSENT) notify_gone(sup, action->slot);
}
