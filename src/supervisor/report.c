/* SPDX-License-Identifier: MIT */
/* report.c - every transition is reported: one event, one line in the log, one count. */
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/size.h"
#include "supervisor/internal.h"

static bool leaves(const struct lc_action *action) {
    return action->to == LC_UNLOADING ||
           (action->to == LC_ABSENT && action->from != LC_UNLOADING);
}

/* NULL: it is not in the catalog, or nobody wants the slot's load, so the slot is free. */
static const struct model *model_of(const struct supervisor *sup, int slot) {
    const char *key = sup->instances[slot].model_key;
    return key ? catalog_find(*sup->config.catalog, key) : NULL;
}

static bool same_type(const struct supervisor *sup, int a, int b) {
    const struct model *x = model_of(sup, a), *y = model_of(sup, b);
    return !x || !y || x->type == y->type;
}

/* docs/lifecycle.md, Auto-evict, rule 1. */
static bool suggests_per_type(struct supervisor *sup, const struct lc_action *action) {
    bool evicted = leaves(action) && action->reason == LC_BECAUSE_EVICTED && action->by >= 0;
    return evicted && sup->lc.settings.auto_evict == LC_EVICT_ON &&
           !same_type(sup, action->slot, action->by) &&
           type_evictions_add(&sup->type_evictions, sup->lc.now);
}

/* NULL: none. */
static const char *hint_of(struct supervisor *sup, const struct lc_action *action) {
    if (suggests_per_type(sup, action)) {
        return "Language and embedding models evict one another; with auto_evict = per_type "
               "one of each stays loaded (`doze settings set auto_evict per_type`).";
    }
    bool yields = action->from == LC_IDLE && action->reason == LC_BECAUSE_MEMORY;
    if (yields && pressure_lasts(&sup->pressure, sup->lc.now)) {
        return "Programs on this machine waited for memory, so an idle model was unloaded; "
               "`doze settings set evict_on_pressure off` keeps such models loaded.";
    }
    return NULL;
}

static struct instance_transition transition_of(const struct supervisor *sup,
                                                const struct lc_action *action) {
    const struct instance *in = &sup->instances[action->slot];
    struct lc_view view = lifecycle_view(&sup->lc, action->slot);
    bool evicted = action->reason == LC_BECAUSE_EVICTED && action->by >= 0;
    bool failed = leaves(action) && in->load_error.code != ERR_NONE;
    msec unix_now = clock_unix();
    return (struct instance_transition){
        .at = unix_now,
        .identifier = in->identifier,
        .model_key = in->model_key,
        .from = action->from,
        .to = action->to,
        .reason = action->reason,
        .evicted_by = evicted ? sup->instances[action->by].identifier : NULL,
        .generation = sup->lc.slots[action->slot].generation,
        .origin = supervisor_origin(action->origin),
        .running = view.running,
        .waiting = view.waiting,
        .pid = in->worker ? worker_pid(in->worker) : 0,
        .memory = in->facts.memory,
        .load_seconds = in->load_seconds,
        .expires_in = view.expires == MSEC_NEVER ? MSEC_NEVER : view.expires - sup->lc.now,
        .due = unix_now + action->at - clock_boottime(),
        .error = failed ? in->load_error.text : NULL,
    };
}

static void log_transition(const struct instance_transition *t) {
    char memory[64] = "";
    if (t->from == LC_UNLOADING && t->memory) {
        char size[SIZE_TEXT];
        size_format(t->memory, size);
        snprintf(memory, sizeof memory, ", %s came back", size);
    }
    bool busy = (t->from == LC_IDLE && t->to == LC_BUSY) ||
                (t->from == LC_BUSY && t->to == LC_IDLE);
    void (*say)(const char *fmt, ...) = busy ? log_debug : log_info;
    say("%s: %s -> %s (%s%s%s%s)", t->identifier, lc_state_name(t->from), lc_state_name(t->to),
        lc_reason_name(t->reason), t->evicted_by ? ":" : "", t->evicted_by ? t->evicted_by : "",
        memory);
    if (t->hint) log_info("%s", t->hint);
    if (t->reason == LC_BECAUSE_LOAD_FAILED && t->error)
        log_warn("%s: %s", t->identifier, t->error);
}

static void count_transition(struct metrics *metrics, const struct lc_action *action) {
    if (!leaves(action)) return;
    metrics->unloads[action->reason]++;
    bool failed = action->reason == LC_BECAUSE_LOAD_FAILED ||
                  (action->from == LC_LOADING && action->reason == LC_BECAUSE_DIED);
    if (failed) metrics->load_failures++;
}

void supervisor_report(struct supervisor *sup, const struct lc_action *action) {
    struct instance_transition transition = transition_of(sup, action);
    transition.hint = hint_of(sup, action);
    sup->config.on_transition(sup->config.ctx, &transition);
    count_transition(sup->config.metrics, action);
    log_transition(&transition);
}

void supervisor_report_progress(struct supervisor *sup, int slot) {
    const struct instance *in = &sup->instances[slot];
    if (!in->identifier) return;
    struct instance_progress progress = { .identifier = in->identifier,
                                          .model_key = in->model_key,
                                          .progress = sup->lc.slots[slot].permille / 1000.0 };
    sup->config.on_progress(sup->config.ctx, &progress);
}
