/* SPDX-License-Identifier: MIT */
/* spawn.c - starts the worker of a slot and chooses the settings of its load. */
#include <stdlib.h>
#include <string.h>

#include "supervisor/internal.h"

/* The explicit load that waits for this slot, if there is one. */
static struct call *waiting_load(struct supervisor *sup, int slot) {
    for (uint32_t i = 0; i < sup->lc.request_count; i++) {
        const struct lc_request *request = &sup->lc.requests[i];
        if (request->slot != slot || request->kind != LC_KIND_LOAD) continue;
        return call_find(sup->calls, request->id);
    }
    return NULL;
}

/* What the newest request asks of a jit load, as the lifecycle plans it. */
static struct load_settings newest_requested(struct supervisor *sup, int slot) {
    struct load_settings requested = LOAD_SETTINGS_UNSET;
    for (uint32_t i = sup->lc.request_count; i-- > 0;) {
        const struct lc_request *request = &sup->lc.requests[i];
        if (request->slot != slot) continue;
        const struct call *call = call_find(sup->calls, request->id);
        return call ? call_requested(call) : requested;
    }
    return requested;
}

/* Does the lifecycle plan the next load like the last one? Then the worker replaces one that
 * died, and later requests change nothing. */
static bool is_as_planned(const struct supervisor *sup, int slot) {
    const struct instance *in = &sup->instances[slot];
    const struct model *model = catalog_find(*sup->config.catalog, in->model_key);
    struct load_settings effective;
    struct lc_plan plan;
    struct error err;
    return model && supervisor_plan(sup, model, &in->requested, &effective, &plan, &err) &&
           plan.settings == sup->lc.slots[slot].plan.settings;
}

static void choose_requested(struct supervisor *sup, int slot) {
    struct instance *in = &sup->instances[slot];
    const struct call *load = waiting_load(sup, slot);
    if (load) {
        in->requested = load->load.options.requested;
    } else if (sup->lc.slots[slot].origin == LC_ORIGIN_JIT && !is_as_planned(sup, slot)) {
        in->requested = newest_requested(sup, slot);
    } /* else a worker of an explicit instance died: the next one is loaded the same way */
}

/* Take a parked worker, one that waits without a model, or start a new one. */
static struct worker *find_worker(struct supervisor *sup, int slot, struct error *err) {
    struct instance *in = &sup->instances[slot];
    uint32_t generation = sup->lc.slots[slot].generation;
    struct worker *worker = supervisor_take_parked(sup, slot);
    in->woken = worker != NULL;
    if (worker) {
        standby_release(sup->standby, slot);
        return worker;
    }
    worker = standby_take(sup->standby, slot, generation, &sup->worker_owner);
    if (worker) return worker;
    return worker_spawn(sup->config.loop, sup->config.worker_program, slot, generation,
                        &sup->worker_owner, err);
}

static void set_load_order(struct instance *in, char *order) {
    free(in->load_order);
    in->load_order = order;
}

/* The load was admitted with another node's memory, which may be gone. */
static bool choose_loan(struct supervisor *sup, const struct model *model, int slot,
                        nbytes need, struct error *err) {
    struct instance *in = &sup->instances[slot];
    struct model_shape shape = supervisor_shape(sup, model, &in->effective.adapters);
    if (supervisor_find_loan(sup, &shape, &in->effective, &in->lent)) return true;
    if (need <= sup->lc.budget || need <= sup->lc.slots[slot].plan.need) return true;
    return error_set(err, ERR_NO_MEMORY,
                     "'%.80s' needs memory of another node, and none lends enough now; "
                     "try again later, or raise fleet.lend_memory there.",
                     in->model_key);
}

static struct worker *find_borrower(struct supervisor *sup, int slot, struct error *err) {
    sup->instances[slot].woken = false;
    standby_release(sup->standby, slot);
    return supervisor_spawn_borrower(sup, slot, err);
}

static bool start_worker(struct supervisor *sup, int slot, struct error *err) {
    struct instance *in = &sup->instances[slot];
    const struct model *model = catalog_find(*sup->config.catalog, in->model_key);
    if (!model) {
        return error_set(err, ERR_LOAD_FAILED, "The file of '%.80s' is gone.", in->model_key);
    }
    struct lc_plan plan;
    if (!supervisor_plan(sup, model, &in->requested, &in->effective, &plan, err)) return false;
    if (!supervisor_keep_adapters(sup, &in->effective.adapters, err)) return false;
    if (!choose_loan(sup, model, slot, plan.need, err)) return false;
    in->park_key = supervisor_park_key(sup, model, &plan);
    in->worker = in->lent.bytes ? find_borrower(sup, slot, err) : find_worker(sup, slot, err);
    if (!in->worker) return false;
    struct buf payload = BUF_INIT(1 << 20);
    supervisor_format_load(sup, model, slot, &in->effective, &payload);
    set_load_order(in, buf_take(&payload));
    supervisor_send_load(sup, slot);
    return true;
}

void supervisor_send_load(struct supervisor *sup, int slot) {
    struct instance *in = &sup->instances[slot];
    if (!in->load_order || !in->worker || !supervisor_fit_parked(sup, 0)) return;
    worker_send(in->worker, MSG_LOAD, 0, in->load_order, strlen(in->load_order));
    set_load_order(in, NULL);
}

void supervisor_spawn(struct supervisor *sup, int slot) {
    struct instance *in = &sup->instances[slot];
    choose_requested(sup, slot);
    in->spawned_at = sup->lc.now;
    in->forgets = false;
    in->load_error = in->lost = (struct error){ 0 };
    in->facts = (struct instance_facts){ 0 };
    in->activity = (struct activity){ 0 };
    in->log_budget = (struct log_budget){ 0 };
    in->parking = in->grows = false;
    set_load_order(in, NULL);
    if (start_worker(sup, slot, &in->load_error)) {
        supervisor_notify_loading(sup, slot);
        return;
    }
    in->load_error.code = ERR_LOAD_FAILED; /* no client's request is at fault */
    struct lc_event event = { .kind = LC_EV_LOAD_FAILED,
                              .slot = slot,
                              .generation = sup->lc.slots[slot].generation };
    supervisor_post(sup, event);
    event.kind = LC_EV_EXITED; /* there is no process */
    supervisor_post(sup, event);
}
