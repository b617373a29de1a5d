/* SPDX-License-Identifier: MIT */
/* reload.c - pinned instances whose worker died are loaded again without a request (Failure:
 * intent outlives the worker). */
#include "base/clock.h"
#include "base/log.h"
#include "supervisor/internal.h"

static msec reload_at(const struct supervisor *sup, int slot) {
    const struct instance *in = &sup->instances[slot];
    msec at = lifecycle_reload_at(&sup->lc, slot);
    if (at == MSEC_NEVER || in->reloading || !pinned_has(&sup->pinned, in->identifier))
        return MSEC_NEVER;
    return at > in->reload_not_before ? at : in->reload_not_before;
}

msec supervisor_reload_deadline(const struct supervisor *sup) {
    msec first = MSEC_NEVER;
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        msec at = reload_at(sup, i);
        if (at < first) first = at;
    }
    return first;
}

/* A load that was refused before it began, for example because its file is gone, has no
 * back-off. */
static void reloaded(void *ctx, call_id call, const struct load_result *result,
                     const struct error *error) {
    struct supervisor *sup = ctx;
    int slot = 0;
    while (slot < LC_MAX_SLOTS && sup->instances[slot].reloading != call) slot++;
    if (slot == LC_MAX_SLOTS) return; /* its identifier was unloaded meanwhile */
    struct instance *in = &sup->instances[slot];
    bool backs_off = sup->lc.slots[slot].retry_at > sup->lc.now;
    in->reloading = 0;
    in->reload_not_before = result || backs_off ? 0 : sup->lc.now + LC_RELOAD_PAUSE;
    if (!result && !sup->lc.shutting_down)
        log_warn("%s: it is pinned, but could not be loaded again: %s", in->identifier,
                 error->text);
}

static void reload(struct supervisor *sup, int slot) {
    struct instance *in = &sup->instances[slot];
    struct load_request request = {
        .model = in->model_key,
        .identifier = in->identifier,
        .ttl = { .given = true, .value = sup->lc.slots[slot].ttl },
        .settings = in->requested,
    };
    log_info("%s: loading it again, as it is pinned and its worker died", in->identifier);
    in->reloading = supervisor_load(sup, &request,
                                    (struct load_sink){ .on_end = reloaded, .ctx = sup });
}

void supervisor_reload_pinned(struct supervisor *sup) {
    msec now = clock_boottime();
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        if (reload_at(sup, i) <= now) reload(sup, i);
    }
}
