/* SPDX-License-Identifier: MIT */
/* unload.c - unloads by hand. */
#include "base/xalloc.h"
#include "supervisor/internal.h"

call_id supervisor_unload(struct supervisor *sup, const char *identifier,
                          struct done_sink sink) {
    struct call *call = call_open(sup->calls, CALL_UNLOAD);
    call->unload.identifier = xstrdup(identifier);
    call->unload.sink = sink;
    supervisor_post_call(sup, call);
    return call->id;
}

/* Its worker died, and nobody is to load it again. False: there is no such instance. */
static bool forget_intent(struct supervisor *sup, const char *name) {
    int slot = supervisor_find_intended(sup, name);
    if (slot == LC_NO_SLOT) return false;
    (void)supervisor_unpin(sup, sup->instances[slot].identifier);
    supervisor_step(sup, (struct lc_event){ .kind = LC_EV_UNLOAD,
                                            .slot = slot,
                                            .generation = sup->lc.slots[slot].generation });
    return true;
}

bool supervisor_begin_unload(struct supervisor *sup, struct call *call, struct error *err) {
    const char *identifier = call->unload.identifier;
    int slot = supervisor_find_loaded(sup, identifier, err);
    if (slot == LC_NO_SLOT) {
        if (!forget_intent(sup, identifier) && !supervisor_unpin(sup, identifier)) return false;
        return error_set(err, ERR_MODEL_NOT_FOUND,
                         "'%.80s' is not loaded; from now on it is not kept to be loaded again "
                         "either.",
                         identifier);
    }
    struct instance *in = &sup->instances[slot];
    in->unloading = call->id;
    (void)supervisor_unpin(sup, in->identifier);
    supervisor_step(sup, (struct lc_event){ .kind = LC_EV_UNLOAD,
                                            .slot = slot,
                                            .generation = sup->lc.slots[slot].generation });
    return true;
}
