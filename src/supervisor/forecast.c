/* SPDX-License-Identifier: MIT */
/* forecast.c - what would happen to a request: tried on a copy of the lifecycle. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "supervisor/internal.h"

/* Room for the copy; too large for the stack. */
struct rehearsal {
    struct lifecycle lc;
    struct lc_actions actions;
};

/* The lifecycle as it is now, with the memory that there is. The caller frees it. */
static struct lifecycle *state_now(struct supervisor *sup, struct lc_actions *room) {
    struct lifecycle *now = xcalloc(1, sizeof *now);
    struct lc_event budget = supervisor_budget(sup);
    *now = sup->lc;
    budget.now = clock_boottime();
    lifecycle_step(now, &budget, room);
    return now;
}

static void rehearse(struct supervisor *sup, struct lc_event *ev, struct lc_forecast *ret) {
    struct rehearsal *r = xcalloc(1, sizeof *r);
    struct lifecycle *now = state_now(sup, &r->actions);
    ev->now = now->now;
    lifecycle_explain(now, ev, &r->lc, &r->actions, ret);
    free(now);
    free(r);
}

bool supervisor_would_load(struct supervisor *sup, uint32_t model, const struct lc_plan *plan) {
    struct rehearsal *r = xcalloc(1, sizeof *r);
    struct lifecycle *now = state_now(sup, &r->actions);
    struct lc_event ev = { .kind = LC_EV_LOAD,
                           .now = now->now,
                           .request = UINT64_MAX,
                           .slot = LC_NO_SLOT,
                           .model = model,
                           .ttl = LC_TTL_NOT_GIVEN,
                           .plan = *plan };
    bool refused = lifecycle_refuses(now, &ev, &r->lc, &r->actions);
    free(now);
    free(r);
    return !refused;
}

static bool refused(const struct supervisor *sup, const struct lc_forecast *forecast,
                    const char *key, struct error *err) {
    if (forecast->outcome != LC_OUTCOME_REFUSED) return false;
    struct lc_action action = { .kind = LC_DO_FAIL,
                                .slot = forecast->slot,
                                .fail = forecast->fail,
                                .at = forecast->retry_at,
                                .need = forecast->need,
                                .free = forecast->free };
    supervisor_explain(sup, &action, key, err);
    return true;
}

static void name_slots(const struct supervisor *sup, struct forecast *f) {
    if (f->lc.slot != LC_NO_SLOT) f->instance = sup->instances[f->lc.slot].identifier;
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        if (f->lc.leaves[i] && sup->instances[i].identifier)
            f->evicts[f->evict_count++] = sup->instances[i].identifier;
    }
}

bool supervisor_forecast(struct supervisor *sup, const char *name, int64_t context_length,
                         struct forecast *ret, struct error *err) {
    struct load_settings requested = LOAD_SETTINGS_UNSET;
    struct target target;
    struct lc_event ev = { .kind = LC_EV_REQUEST,
                           .request = UINT64_MAX,
                           .request_kind = LC_KIND_INFER,
                           .ttl = LC_TTL_NOT_GIVEN };
    requested.context_length = context_length;
    *ret = (struct forecast){ 0 };
    if (!supervisor_resolve(sup, name, &target, err)) return false;
    if (!supervisor_plan_target(sup, &target, context_length ? &requested : NULL, &ev.plan,
                                err))
        return false;
    ev.model = supervisor_model_number(sup, target.model_key);
    ev.slot = target.slot;
    rehearse(sup, &ev, &ret->lc);
    ret->model_key = sup->model_names[ev.model];
    if (refused(sup, &ret->lc, ret->model_key, err)) return false;
    name_slots(sup, ret);
    if (ret->lc.outcome != LC_OUTCOME_SERVED)
        supervisor_tell_wait(sup, &ret->lc.wait, &ret->wait);
    return true;
}
