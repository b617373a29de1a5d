/* SPDX-License-Identifier: MIT */
/* unload.c - unloads by hand. */
#include "base/xalloc.h"
#include "supervisor/internal.h"

call_id supervisor_unload(struct supervisor *sup, const char *identifier,
                          struct done_sink sink) {
    struct call *call = call_open(sup->calls, CALL_UNLOAD);
    call->unload.identifier = identifier ? xstrdup(identifier) : NULL;
    call->unload.sink = sink;
    supervisor_post_call(sup, call);
    return call->id;
}

static void unload_slot(struct supervisor *sup, struct call *call, int slot) {
    (void)supervisor_unpin(sup, call, sup->instances[slot].identifier);
    supervisor_step(sup, (struct lc_event){ .kind = LC_EV_UNLOAD,
                                            .slot = slot,
                                            .generation = sup->lc.slots[slot].generation });
}

/* Unload an instance whose worker died, so that it is not reloaded. False: there is none. */
static bool forget_intent(struct supervisor *sup, struct call *call, const char *name) {
    int slot = supervisor_find_intended(sup, name);
    if (slot == LC_NO_SLOT) return false;
    unload_slot(sup, call, slot);
    return true;
}

/* Nothing is loaded. If a pin was removed, the answer waits for the disk. */
static bool end_unloaded(struct supervisor *sup, struct call *call, struct error *err) {
    const char *identifier = call->unload.identifier;
    if (!forget_intent(sup, call, identifier) && !supervisor_unpin(sup, call, identifier))
        return false;
    error_set(err, ERR_MODEL_NOT_FOUND,
              "'%.80s' is not loaded; from now on it is not kept to be loaded again either.",
              identifier);
    if (!call->saving) return false;
    call->refusal = *err;
    call->ended = true;
    return true;
}

/* Also those whose worker died and that wait to be loaded again. */
static void unload_all(struct supervisor *sup, struct call *call) {
    supervisor_give_up_parked(sup, PARKED_BY_USER, call->id);
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        enum lc_state state = sup->lc.slots[i].state;
        bool intended = sup->lc.slots[i].intended && !supervisor_shows(sup, i);
        bool loaded = state != LC_ABSENT && state != LC_UNLOADING;
        if (!sup->instances[i].identifier || !(loaded || intended)) continue;
        if (loaded) sup->instances[i].unloading = call->id;
        unload_slot(sup, call, i);
    }
    if (!supervisor_unloads(sup, call->id)) call_done(sup->calls, call);
}

bool supervisor_begin_unload(struct supervisor *sup, struct call *call, struct error *err) {
    const char *identifier = call->unload.identifier;
    if (!identifier) {
        unload_all(sup, call);
        return true;
    }
    int slot = supervisor_find_loaded(sup, identifier, err);
    if (slot == LC_NO_SLOT && supervisor_unload_parked(sup, identifier, call->id)) return true;
    if (slot == LC_NO_SLOT) return end_unloaded(sup, call, err);
    sup->instances[slot].unloading = call->id;
    unload_slot(sup, call, slot);
    return true;
}
