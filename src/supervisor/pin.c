/* SPDX-License-Identifier: MIT */
/* pin.c - pins: the instances that are loaded again after a restart or when their worker died.
 * Loads set them, unloads and updates remove them. */
#include <stdlib.h>
#include <string.h>

#include "supervisor/internal.h"

void supervisor_pin(struct supervisor *sup, const struct load_request *request) {
    struct load_options options;
    supervisor_read_options(request, &options);
    options.requested.adapters = request->settings.adapters; /* pinned_put copies them */
    pinned_put(&sup->pinned, options.identifier ? options.identifier : options.model,
               options.model, options.ttl.given ? options.ttl.value : MSEC_NEVER,
               &options.requested);
    free(options.identifier);
    free(options.model);
}

void supervisor_save_pinned(struct supervisor *sup, struct call *call) {
    call->saving = true;
    sup->config.on_pinned_changed(sup->config.ctx);
}

bool supervisor_pin_loaded(struct supervisor *sup, struct call *call) {
    const struct instance *in = &sup->instances[call->load.slot];
    if (call->kind != CALL_LOAD || !call->load.options.keep) return false;
    pinned_put(&sup->pinned, in->identifier, in->model_key, sup->lc.slots[call->load.slot].ttl,
               &call->load.options.requested);
    supervisor_save_pinned(sup, call);
    return true;
}

struct saved {
    struct supervisor *sup;
    const struct error *error;
};

/* An unload whose change could not be stored still succeeds; the log warns that the next start
 * may undo it. A refusal says so itself. */
static void end_saved_change(struct supervisor *sup, struct call *call,
                             const struct error *error) {
    struct error err = call->refusal;
    if (!call->ended) return;
    if (err.code == ERR_NONE) {
        call_done(sup->calls, call);
        return;
    }
    if (error)
        error_set(
            &err, err.code,
            "'%.80s' is not loaded. It is no longer kept, but that could not be saved, so "
            "the next start may load it again: %.200s",
            call->unload.identifier, error->text);
    call_fail(sup->calls, call, &err);
}

static void end_saved(struct call *call, void *ctx) {
    const struct saved *saved = ctx;
    if (!call->saving) return;
    call->saving = false;
    if (call->kind == CALL_LOAD)
        supervisor_end_load(saved->sup, call, saved->error);
    else
        end_saved_change(saved->sup, call, saved->error);
}

void supervisor_pinned_saved(struct supervisor *sup, const struct error *error) {
    struct saved saved = { sup, error };
    calls_each(sup->calls, end_saved, &saved);
}

struct unpinned {
    const char *identifier;
    bool found;
};

static void unpin_load(struct call *call, void *ctx) {
    struct unpinned *unpinned = ctx;
    if (call->kind != CALL_LOAD || !call->load.options.keep) return;
    const char *identifier = call->load.options.identifier;
    if (!identifier) identifier = call->model_key;
    if (!identifier || strcmp(identifier, unpinned->identifier) != 0) return;
    call->load.options.keep = false;
    unpinned->found = true;
}

bool supervisor_unpin(struct supervisor *sup, struct call *call, const char *identifier) {
    struct unpinned unpinned = { .identifier = identifier };
    calls_each(sup->calls, unpin_load, &unpinned);
    if (!pinned_forget(&sup->pinned, identifier)) return unpinned.found;
    supervisor_save_pinned(sup, call);
    return true;
}

void supervisor_format_pinned(const struct supervisor *sup, struct buf *out) {
    pinned_format(&sup->pinned, out);
}
