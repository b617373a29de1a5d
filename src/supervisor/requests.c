/* SPDX-License-Identifier: MIT */
/* requests.c - what clients want: names are resolved, calls opened, events raised. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/xalloc.h"
#include "supervisor/internal.h"

/* Changes with the file's size or time of change. */
static uint64_t file_stamp(const struct model *model) {
    uint64_t stamp = hash_add(HASH_BEGIN, &model->size, sizeof model->size);
    return hash_add(stamp, &model->modified, sizeof model->modified);
}

bool supervisor_plan(const struct supervisor *sup, const struct model *model,
                     const struct load_settings *requested, struct load_settings *ret_effective,
                     struct lc_plan *ret_plan, struct error *err) {
    if (model->problem) {
        return error_set(err, ERR_LOAD_FAILED, "The model '%.80s' cannot be loaded: %s",
                         model->key, model->problem);
    }
    const struct settings *settings = sup->config.settings;
    const struct model_entry *entry = model_settings_find(&settings->models, model->key);
    struct model_shape shape = model_shape(model);
    struct load_layers layers = { .for_all = &settings->load,
                                  .for_model = entry ? &entry->load : NULL,
                                  .requested = requested,
                                  .budget = settings->memory_limit ? settings->memory_limit
                                                                   : memory_total() };
    if (!load_plan_resolve(&shape, &layers, ret_effective, err)) return false;
    *ret_plan = (struct lc_plan){
        .settings = load_settings_hash(ret_effective),
        .need = load_plan_need(&shape, ret_effective),
        .reload = load_plan_reload_time(&shape),
        .parallel = (uint32_t)ret_effective->parallel,
        .file = file_stamp(model),
        .type = model->type == MODEL_EMBEDDINGS ? LC_TYPE_EMBEDDING : LC_TYPE_LANGUAGE,
        .ttl = entry && entry->ttl != MODEL_TTL_UNSET ? entry->ttl : LC_TTL_NOT_GIVEN
    };
    return true;
}

static bool resolve(struct supervisor *sup, const char *name, struct target *ret_target,
                    struct error *err) {
    struct named_instance named[LC_MAX_SLOTS];
    size_t count = 0;
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        const struct instance *in = &sup->instances[i];
        enum lc_state state = sup->lc.slots[i].state;
        if (!supervisor_shows(sup, i)) continue;
        named[count++] = (struct named_instance){ i, in->identifier, in->model_key,
                                                  state == LC_IDLE || state == LC_BUSY };
    }
    return resolve_name(*sup->config.catalog, named, count, name, ret_target, err);
}

/* ---- requests for work ---- */

void call_emit_loading(struct supervisor *sup, struct call *call, int slot) {
    double progress = slot == LC_NO_SLOT ? 0 : sup->lc.slots[slot].permille / 1000.0;
    if (call->load_sink.on_progress && slot != LC_NO_SLOT) {
        call->load_sink.on_progress(call->load_sink.ctx, call->id, progress);
        return;
    }
    struct service_event ev = { .kind = SERVICE_LOADING, .progress = progress };
    if (call->sink.on_event) call->sink.on_event(call->sink.ctx, call->id, &ev);
}

static msec ttl_for_core(struct ttl ttl) {
    return ttl.given ? ttl.value : LC_TTL_NOT_GIVEN;
}

/* Is there an instance that serves the model without a load? */
static bool is_up(struct supervisor *sup, const struct target *target) {
    int slot = lifecycle_find(&sup->lc, supervisor_model_number(sup, target->model_key));
    if (slot == LC_NO_SLOT) return false;
    enum lc_state state = sup->lc.slots[slot].state;
    return state == LC_LOADING || state == LC_IDLE || state == LC_BUSY;
}

/* Fill in what a load of the target would be like. A model whose file is gone or was replaced
 * by a broken one can be served only by the instance that is there. */
static bool plan_target(struct supervisor *sup, const struct target *target,
                        const struct load_settings *requested, struct lc_plan *ret_plan,
                        struct error *err) {
    struct load_settings effective;
    if (target->model &&
        supervisor_plan(sup, target->model, requested, &effective, ret_plan, err)) {
        return true;
    }
    *ret_plan = (struct lc_plan){ .reload = 1, .parallel = 1, .ttl = LC_TTL_NOT_GIVEN };
    return !target->model || (!requested && is_up(sup, target));
}

/* The instance with this reference, unless it is gone or about to go. */
static bool resolve_reference(struct supervisor *sup, uint64_t reference,
                              struct target *ret_target, struct error *err) {
    int slot = supervisor_find_slot(sup, reference);
    enum lc_state state = slot == LC_NO_SLOT ? LC_ABSENT : sup->lc.slots[slot].state;
    if (state == LC_ABSENT || state == LC_UNLOADING) {
        return error_set(err, ERR_MODEL_UNLOADED,
                         "This instance was unloaded; load the model again.");
    }
    const char *key = sup->instances[slot].model_key;
    *ret_target = (struct target){ slot, key, catalog_find(*sup->config.catalog, key) };
    return true;
}

/* What a request asks for: an instance by its reference, or whatever the name means. */
struct asked {
    const char *name;
    uint64_t instance;
    struct ttl ttl;
    const struct load_settings *requested; /* NULL: nothing */
    uint64_t client;
    const enum service_op *op; /* NULL: a load */
};

static bool is_light(enum service_op op) {
    return op == OP_TOKENIZE || op == OP_TEMPLATE;
}

/* Refuse before evicting (JIT loading, rule 7): what the model is not made for is known from
 * the catalog. */
static bool type_fits(const struct target *target, const enum service_op *op,
                      struct error *err) {
    if (!target->model || !op || is_light(*op)) return true;
    bool embeds = target->model->type == MODEL_EMBEDDINGS;
    if (embeds == (*op == OP_EMBEDDING)) return true;
    return error_set_param(err, ERR_INVALID_REQUEST, "model",
                           embeds ? "'%.80s' is an embedding model; choose a language model."
                                  : "'%.80s' is a language model; choose an embedding model.",
                           target->model_key);
}

static bool begin(struct supervisor *sup, struct call *call, const struct asked *asked,
                  struct error *err) {
    struct target target = { .slot = LC_NO_SLOT };
    struct lc_event ev = { .kind = LC_EV_REQUEST,
                           .request = call->id,
                           .client = asked->client,
                           .request_kind = call->kind };
    bool found = asked->instance ? resolve_reference(sup, asked->instance, &target, err)
                                 : resolve(sup, asked->name, &target, err);
    if (!found || !type_fits(&target, asked->op, err)) return false;
    if (!plan_target(sup, &target, asked->requested, &ev.plan, err)) return false;
    call->model_key = xstrdup(target.model_key);
    ev.model = supervisor_model_number(sup, target.model_key);
    ev.slot = target.slot;
    ev.ttl = ttl_for_core(asked->ttl);
    supervisor_feed_budget(sup);
    supervisor_feed(sup, ev);
    return true;
}

static void refuse_full(struct supervisor *sup, struct error *err) {
    sup->config.metrics->request_errors[ERR_QUEUE_FULL]++;
    error_set(err, ERR_QUEUE_FULL, "The server works on %d requests already; try again later.",
              CALLS_MAX);
    err->retry_after = 5;
}

call_id supervisor_generate(struct supervisor *sup, struct service_request *request,
                            struct service_sink sink) {
    struct error err;
    struct call *call = call_open(sup->calls);
    sup->config.metrics->requests[request->op]++;
    if (!call) {
        refuse_full(sup, &err);
        struct service_event ev = { .kind = SERVICE_ERROR,
                                    .error = &err,
                                    .stop_reason = STOP_FAILED };
        service_request_clear(request);
        sink.on_event(sink.ctx, 0, &ev);
        return 0;
    }
    call_id id = call->id;
    call->kind = is_light(request->op) ? LC_KIND_LIGHT : LC_KIND_INFER;
    call->request = *request;
    call->sink = sink;
    call->received_usec = clock_boottime_usec();
    *request = (struct service_request){ 0 };
    struct asked asked = { .name = call->request.model,
                           .client = call->request.client,
                           .op = &call->request.op,
                           .instance = call->request.instance,
                           .ttl = call->request.ttl };
    if (!begin(sup, call, &asked, &err)) call_fail(sup, call, &err);
    return id;
}

void supervisor_cancel(struct supervisor *sup, call_id id) {
    struct call *call = call_find(sup->calls, id);
    if (!call) return;
    /* Nothing is said to this client any more; the worker forgets it with its DONE. */
    call_close(sup->calls, call);
    supervisor_feed(sup, (struct lc_event){ .kind = LC_EV_CANCEL, .request = id });
}

void supervisor_pause(struct supervisor *sup, call_id id, bool paused) {
    const struct call *call = call_find(sup->calls, id);
    if (!call || !call->dispatched) return;
    struct worker *worker = sup->instances[call->slot].worker;
    if (!worker || worker_generation(worker) != call->generation) return;
    worker_send(worker, paused ? MSG_PAUSE : MSG_RESUME, id, NULL, 0);
}

/* ---- loads ---- */

static void end_load(struct load_sink sink, call_id id, const struct error *err) {
    if (sink.on_end) sink.on_end(sink.ctx, id, NULL, err);
}

struct call *supervisor_open_load(struct supervisor *sup, enum lc_kind kind,
                                  struct load_sink sink) {
    struct error err;
    struct call *call = call_open(sup->calls);
    if (!call) {
        refuse_full(sup, &err);
        end_load(sink, 0, &err);
        return NULL;
    }
    call->kind = kind;
    call->load_sink = sink;
    call->received_usec = clock_boottime_usec();
    return call;
}

static bool settings_have_text(const struct load_settings *s, const char *text) {
    return s->chat_template == text || s->reasoning_ending == text;
}

static bool call_has_text(const struct call *call, void *ctx) {
    return settings_have_text(&call->options.requested, ctx);
}

static bool is_text_used(void *ctx, char *text) {
    const struct supervisor *sup = ctx;
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        const struct instance *in = &sup->instances[i];
        if (!in->identifier) continue;
        if (settings_have_text(&in->requested, text)) return true;
        if (settings_have_text(&in->effective, text)) return true;
    }
    return calls_any(sup->calls, call_has_text, text);
}

/* Keep the texts of the settings for as long as somebody has them. */
static bool intern_texts(struct supervisor *sup, struct load_settings *settings,
                         struct error *err) {
    return load_texts_intern(&sup->texts, "A prompt template", is_text_used, sup,
                             &settings->chat_template, err) &&
           load_texts_intern(&sup->texts, "'reasoningBudgetMessage'", is_text_used, sup,
                             &settings->reasoning_ending, err);
}

bool supervisor_identifier_taken(const struct supervisor *sup, const char *identifier) {
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        if (!supervisor_shows(sup, i)) continue;
        if (strcmp(sup->instances[i].identifier, identifier) == 0) return true;
    }
    return false;
}

static bool check_identifier(const struct supervisor *sup, const char *identifier,
                             struct error *err) {
    if (!identifier) return true;
    if (!*identifier || strlen(identifier) > 200) {
        return error_set_param(err, ERR_INVALID_REQUEST, "identifier",
                               "'identifier' must have 1 to 200 characters.");
    }
    if (!supervisor_identifier_taken(sup, identifier)) return true;
    return error_set_param(
        err, ERR_IDENTIFIER_IN_USE, "identifier",
        "The identifier '%.80s' is in use; choose another or unload it first.", identifier);
}

/* An explicit load means a model, never an instance. */
static bool find_model(struct supervisor *sup, const char *name, struct target *ret_target,
                       struct error *err) {
    if (!name || !*name) {
        error_set_param(err, ERR_INVALID_REQUEST, "model",
                        "'model' is missing; name one of those that GET /api/v1/models "
                        "lists.");
        return false;
    }
    if (!resolve_name(*sup->config.catalog, NULL, 0, name, ret_target, err)) return false;
    ret_target->slot = LC_NO_SLOT;
    return true;
}

static bool begin_load(struct supervisor *sup, struct call *call,
                       const struct load_request *request, struct error *err) {
    struct target target = { .slot = LC_NO_SLOT };
    struct lc_event ev = { .kind = LC_EV_LOAD, .request = call->id, .force = request->force };
    if (!find_model(sup, request->model, &target, err)) return false;
    if (!check_identifier(sup, request->identifier, err)) return false;
    call->options.requested = request->settings;
    if (!intern_texts(sup, &call->options.requested, err)) return false;
    if (!plan_target(sup, &target, &call->options.requested, &ev.plan, err)) return false;
    if (request->identifier) call->options.identifier = xstrdup(request->identifier);
    call->options.keep = request->keep;
    call->model_key = xstrdup(target.model_key);
    ev.model = supervisor_model_number(sup, target.model_key);
    ev.ttl = ttl_for_core(request->ttl);
    ev.own_slot = request->identifier != NULL;
    supervisor_feed_budget(sup);
    supervisor_feed(sup, ev);
    return true;
}

call_id supervisor_load(struct supervisor *sup, const struct load_request *request,
                        struct load_sink sink) {
    struct error err;
    struct call *call = supervisor_open_load(sup, LC_KIND_LOAD, sink);
    if (!call) return 0;
    call_id id = call->id;
    if (!begin_load(sup, call, request, &err)) call_fail(sup, call, &err);
    return id;
}

call_id supervisor_get_or_load(struct supervisor *sup, const struct load_request *request,
                               struct load_sink sink) {
    struct error err;
    struct call *call = supervisor_open_load(sup, LC_KIND_GET_OR_LOAD, sink);
    if (!call) return 0;
    call_id id = call->id;
    call->options.requested = request->settings;
    struct asked asked = { .name = request->model,
                           .ttl = request->ttl,
                           .requested = &call->options.requested };
    if (!intern_texts(sup, &call->options.requested, &err) || !begin(sup, call, &asked, &err))
        call_fail(sup, call, &err);
    return id;
}

bool supervisor_plan_load(struct supervisor *sup, const struct load_request *request,
                          const struct model **ret_model, struct load_settings *ret_effective,
                          struct lc_plan *ret_plan, struct error *err) {
    struct target target = { .slot = LC_NO_SLOT };
    struct load_settings requested = request->settings; /* without texts: they do not last */
    requested.chat_template = requested.reasoning_ending = NULL;
    if (!find_model(sup, request->model, &target, err)) return false;
    *ret_model = target.model;
    return supervisor_plan(sup, target.model, &requested, ret_effective, ret_plan, err);
}

/* ---- instances by name ---- */

int supervisor_find_instance(struct supervisor *sup, const char *name, struct error *err) {
    int found = LC_NO_SLOT, count = 0;
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        const struct instance *in = &sup->instances[i];
        enum lc_state state = sup->lc.slots[i].state;
        if (!in->identifier || state == LC_ABSENT || state == LC_UNLOADING) continue;
        if (strcmp(in->identifier, name) == 0) return i;
        if (strcmp(in->model_key, name) != 0) continue;
        found = i;
        count++;
    }
    if (count == 1) return found;
    if (count > 1) {
        error_set(
            err, ERR_MODEL_NOT_FOUND,
            "'%.80s' has %d instances; name one by its identifier (`doze ps` lists them).",
            name, count);
    } else {
        error_set(err, ERR_MODEL_NOT_FOUND,
                  "No instance '%.80s' is loaded; `doze ps` lists those that are.", name);
    }
    return LC_NO_SLOT;
}

struct unpinned {
    const char *identifier;
    bool found;
};

static void unpin_load(struct call *call, void *ctx) {
    struct unpinned *unpinned = ctx;
    if (call->kind != LC_KIND_LOAD || !call->options.keep) return;
    const char *identifier = call->options.identifier ? call->options.identifier
                                                      : call->model_key;
    if (strcmp(identifier, unpinned->identifier) != 0) return;
    call->options.keep = false;
    unpinned->found = true;
}

/* Nor is it noted again by a load of it that still goes on. False: nobody identifier it. */
static bool unpin(struct supervisor *sup, const char *identifier) {
    struct unpinned unpinned = { .identifier = identifier };
    calls_each(sup->calls, unpin_load, &unpinned);
    if (!pinned_forget(&sup->pinned, identifier)) return unpinned.found;
    sup->config.on_pinned_changed(sup->config.ctx);
    return true;
}

call_id supervisor_unload(struct supervisor *sup, const char *identifier,
                          struct load_sink sink) {
    struct error err;
    struct call *call = supervisor_open_load(sup, LC_KIND_LIGHT, sink);
    if (!call) return 0;
    call_id id = call->id;
    int slot = supervisor_find_instance(sup, identifier, &err);
    if (slot == LC_NO_SLOT) {
        if (unpin(sup, identifier)) {
            error_set(&err, ERR_MODEL_NOT_FOUND,
                      "'%.80s' is not loaded; from now on it is not kept for the next start "
                      "either.",
                      identifier);
        }
        call_fail(sup, call, &err);
        return id;
    }
    if (call_find(sup->calls, sup->instances[slot].unloading)) {
        error_set(&err, ERR_MODEL_NOT_FOUND, "'%.80s' is being unloaded already.", identifier);
        call_fail(sup, call, &err);
        return id;
    }
    sup->instances[slot].unloading = id;
    (void)unpin(sup, sup->instances[slot].identifier);
    supervisor_feed(sup, (struct lc_event){ .kind = LC_EV_UNLOAD,
                                            .slot = slot,
                                            .generation = sup->lc.slots[slot].generation });
    return id;
}

static void update_pinned(struct supervisor *sup, const char *identifier,
                          const struct lc_event *ev) {
    if (ev->origin == LC_ORIGIN_JIT) {
        (void)unpin(sup, identifier);
    } else if (ev->ttl != LC_TTL_NOT_GIVEN &&
               pinned_set_ttl(&sup->pinned, identifier, ev->ttl)) {
        sup->config.on_pinned_changed(sup->config.ctx);
    }
}

void supervisor_pin(struct supervisor *sup, const struct load_request *request) {
    struct load_settings requested = request->settings; /* without texts: they do not last */
    requested.chat_template = requested.reasoning_ending = NULL;
    pinned_put(&sup->pinned, request->identifier ? request->identifier : request->model,
               request->model, request->ttl.given ? request->ttl.value : MSEC_NEVER,
               &requested);
}

void supervisor_format_pinned(const struct supervisor *sup, struct buf *out) {
    pinned_format(&sup->pinned, out);
}

bool supervisor_update(struct supervisor *sup, const char *identifier,
                       const struct instance_change *change, struct error *err) {
    int slot = supervisor_find_instance(sup, identifier, err);
    if (slot == LC_NO_SLOT) return false;
    struct lc_event ev = { .kind = LC_EV_UPDATE,
                           .slot = slot,
                           .generation = sup->lc.slots[slot].generation,
                           .ttl = ttl_for_core(change->ttl) };
    ev.origin = sup->lc.slots[slot].origin;
    if (change->sets_origin) {
        ev.origin = change->origin == ORIGIN_JIT ? LC_ORIGIN_JIT : LC_ORIGIN_EXPLICIT;
    }
    enum lc_state state = sup->lc.slots[slot].state;
    if (state == LC_DRAINING) {
        return error_set(
            err, ERR_MODEL_UNLOADED,
            "'%.80s' is leaving already; it can be changed when it is loaded again.",
            identifier);
    }
    update_pinned(sup, sup->instances[slot].identifier, &ev);
    supervisor_feed(sup, ev);
    return true;
}
