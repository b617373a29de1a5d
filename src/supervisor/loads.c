/* SPDX-License-Identifier: MIT */
/* loads.c - explicit loads and gets-or-loads. */
#include <string.h>
#include <strings.h>

#include "base/xalloc.h"
#include "catalog/catalog.h"
#include "supervisor/internal.h"

static call_id open_load(struct supervisor *sup, enum call_kind kind,
                         const struct load_request *request, struct load_sink sink) {
    struct call *call = call_open(sup->calls, kind);
    call->load.sink = sink;
    supervisor_read_options(request, &call->load.options);
    if (call->refusal.code == ERR_NONE)
        (void)supervisor_keep_texts(sup, request, &call->load.options.requested,
                                    &call->refusal);
    supervisor_post_call(sup, call);
    return call->id;
}

call_id supervisor_load(struct supervisor *sup, const struct load_request *request,
                        struct load_sink sink) {
    return open_load(sup, CALL_LOAD, request, sink);
}

call_id supervisor_get_or_load(struct supervisor *sup, const struct load_request *request,
                               struct load_sink sink) {
    return open_load(sup, CALL_GET_OR_LOAD, request, sink);
}

/* Is it the key of another model? A request for that model would reach this one. */
static bool is_other_key(const struct supervisor *sup, const char *identifier,
                         const char *model_key) {
    const struct catalog *catalog = *sup->config.catalog;
    if (strcasecmp(identifier, model_key) == 0) return false;
    for (size_t i = 0; i < catalog->count; i++) {
        if (strcasecmp(identifier, catalog->models[i].key) == 0) return true;
    }
    return false;
}

/* The slot of the identifier, if it waits to be loaded again; LC_NO_SLOT. */
static int slot_of_intent(const struct supervisor *sup, const char *identifier,
                          const char *model_key) {
    int slot = identifier ? supervisor_find_intended(sup, identifier) : LC_NO_SLOT;
    if (slot == LC_NO_SLOT) return slot;
    const struct instance *in = &sup->instances[slot];
    bool same = strcmp(in->identifier, identifier) == 0 &&
                strcmp(in->model_key, model_key) == 0;
    return same ? slot : LC_NO_SLOT;
}

static bool check_identifier(const struct supervisor *sup, const char *identifier,
                             const char *model_key, struct error *err) {
    if (!identifier) return true;
    if (is_other_key(sup, identifier, model_key)) {
        return error_set_param(
            err, ERR_IDENTIFIER_IN_USE, "identifier",
            "'%.80s' is the key of another model; choose another identifier.", identifier);
    }
    if (!*identifier || strlen(identifier) > 200) {
        return error_set_param(err, ERR_INVALID_REQUEST, "identifier",
                               "'identifier' must have 1 to 200 characters.");
    }
    if (!supervisor_identifier_taken(sup, identifier)) return true;
    if (slot_of_intent(sup, identifier, model_key) != LC_NO_SLOT) return true;
    return error_set_param(err, ERR_IDENTIFIER_IN_USE, "identifier",
                           "The identifier '%.80s' already exists; choose another or unload it "
                           "first.",
                           identifier);
}

bool supervisor_begin_load(struct supervisor *sup, struct call *call, struct error *err) {
    const struct load_options *options = &call->load.options;
    struct target target;
    struct lc_event ev = { .kind = LC_EV_LOAD,
                           .request = call->id,
                           .ttl = supervisor_ttl(options->ttl),
                           .force = options->force,
                           .own_slot = options->identifier != NULL };
    if (!supervisor_resolve_model(sup, options->model, &target, err)) return false;
    if (!check_identifier(sup, options->identifier, target.model_key, err)) return false;
    if (supervisor_reads_adapters(sup, call, target.model, &options->requested)) return true;
    ev.slot = slot_of_intent(sup, options->identifier, target.model_key);
    struct lc_event budget = supervisor_budget(sup);
    if (!supervisor_plan_target(sup, &target, &options->requested, &ev.plan, err)) return false;
    call->model_key = xstrdup(target.model_key);
    ev.model = supervisor_model_number(sup, target.model_key);
    supervisor_step(sup, budget);
    supervisor_step(sup, ev);
    return true;
}
