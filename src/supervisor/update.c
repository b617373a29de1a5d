/* SPDX-License-Identifier: MIT */
/* update.c - changes of what is loaded: its origin, its ttl. */
#include "base/xalloc.h"
#include "supervisor/internal.h"

call_id supervisor_update(struct supervisor *sup, const char *identifier,
                          const struct instance_change *change, struct done_sink sink) {
    struct call *call = call_open(sup->calls, CALL_UPDATE);
    call->update.identifier = xstrdup(identifier);
    call->update.change = *change;
    call->update.sink = sink;
    supervisor_post_call(sup, call);
    return call->id;
}

static enum lc_origin new_origin(const struct instance_change *change, enum lc_origin old) {
    if (!change->sets_origin) return old;
    return change->origin == ORIGIN_JIT ? LC_ORIGIN_JIT : LC_ORIGIN_EXPLICIT;
}

bool supervisor_begin_update(struct supervisor *sup, struct call *call, struct error *err) {
    const struct instance_change *change = &call->update.change;
    int slot = supervisor_find_loaded(sup, call->update.identifier, err);
    if (slot == LC_NO_SLOT) return false;
    const struct lc_slot *s = &sup->lc.slots[slot];
    if (s->state == LC_DRAINING) {
        return error_set(
            err, ERR_MODEL_UNLOADED,
            "'%.80s' is being unloaded; it can be changed when it is loaded again.",
            call->update.identifier);
    }
    struct lc_event ev = { .kind = LC_EV_UPDATE,
                           .slot = slot,
                           .generation = s->generation,
                           .origin = new_origin(change, s->origin),
                           .ttl = supervisor_ttl(change->ttl) };
    const char *identifier = sup->instances[slot].identifier;
    if (ev.origin == LC_ORIGIN_JIT) {
        (void)supervisor_unpin(sup, call, identifier);
    } else if (change->ttl.given && pinned_set_ttl(&sup->pinned, identifier, ev.ttl)) {
        supervisor_save_pinned(sup, call);
    }
    supervisor_step(sup, ev);
    call_done(sup->calls, call);
    return true;
}
