/* SPDX-License-Identifier: MIT */
/* requests.c - requests for an instance, and get-or-loads: resolves and checks them, and tells
 * the lifecycle. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "catalog/matryoshka.h"
#include "engine/prompt_length.h"
#include "engine/request.h"
#include "engine/rules.h"
#include "supervisor/internal.h"

enum { READ_VALUES_MAX = 500000 }; /* of a body that is read before a load */

_Static_assert((int)SERVICE_BODY_MAX == (int)FRAME_MAX_TO_WORKER, "a body is one frame");

/* What it asks for is kept until a worker has it. */
static bool keep(const struct supervisor *sup, struct service_request *asked,
                 struct error *err) {
    service_request_seal(asked);
    if (!service_request_fits(asked, err)) return false;
    return asked->held.budget ||
           byte_hold_take(sup->config.budget, asked->sealed.len, 0, &asked->held, err);
}

call_id supervisor_generate(struct supervisor *sup, struct service_request *request,
                            struct service_sink sink) {
    struct call *call = call_open(sup->calls, CALL_REQUEST);
    sup->config.metrics->requests[request->op]++;
    call->request.asked = *request;
    call->request.sink = sink;
    call->request.received_usec = clock_boottime_usec();
    *request = (struct service_request){ 0 };
    struct error err;
    if (call->refusal.code == ERR_NONE && !keep(sup, &call->request.asked, &err))
        call->refusal = err;
    supervisor_post_call(sup, call);
    return call->id;
}

void supervisor_cancel(struct supervisor *sup, call_id id) {
    struct call *call = call_find(sup->calls, id);
    if (!call) return;
    supervisor_stop_check(call);
    /* Its client gets no more events; the worker forgets it after its DONE. */
    call_close(sup->calls, call);
    supervisor_post(sup, (struct lc_event){ .kind = LC_EV_CANCEL, .request = id });
}

void supervisor_pause(struct supervisor *sup, call_id id, bool paused) {
    const struct call *call = call_find(sup->calls, id);
    if (!call || call->kind != CALL_REQUEST || !call->request.dispatched) return;
    struct worker *worker = sup->instances[call->request.slot].worker;
    if (!worker || worker_generation(worker) != call->request.generation) return;
    worker_send(worker, paused ? MSG_PAUSE : MSG_RESUME, id, NULL, 0);
    supervisor_post(sup,
                    (struct lc_event){ .kind = LC_EV_READER, .request = id, .stuck = paused });
}

/* Tell the lifecycle about a request for the target. The budget, for which several files of
 * /proc are read, is updated only if a load may follow. */
static bool begin(struct supervisor *sup, struct call *call, const struct target *target,
                  const struct load_settings *requested, struct lc_event *ev,
                  struct error *err) {
    bool may_load = !supervisor_is_up(sup, target->model_key);
    struct lc_event budget = { 0 };
    if (may_load && supervisor_reads_adapters(sup, call, target->model, requested)) return true;
    if (may_load) budget = supervisor_budget(sup);
    if (!supervisor_plan_target(sup, target, requested, &ev->plan, err)) return false;
    call->model_key = xstrdup(target->model_key);
    ev->kind = LC_EV_REQUEST;
    ev->request = call->id;
    ev->request_kind = call_lc_kind(call);
    ev->model = supervisor_model_number(sup, target->model_key);
    ev->slot = target->slot;
    if (may_load) supervisor_step(sup, budget);
    supervisor_step(sup, *ev);
    return true;
}

/* Refuse before evicting (JIT loading, rule 7): the catalog says what the model cannot do. */
static bool type_fits(const struct target *target, const struct call *call, struct error *err) {
    static const char language[] = "a language model", embedding[] = "an embedding model",
                      reranker[] = "a reranker";
    const struct model *model = target->model;
    enum service_op op = call->request.asked.op;
    if (!model || op == OP_TOKENIZE) return true;
    const char *is = model->type != MODEL_EMBEDDINGS ? language
                     : model->ranks                  ? reranker
                                                     : embedding;
    const char *want = op == OP_EMBEDDING ? embedding : op == OP_RERANK ? reranker : language;
    if (is == want) return true;
    return error_set_param(err, ERR_INVALID_REQUEST, "model", "'%.80s' is %s; choose %s.",
                           target->model_key, is, want);
}

/* ... for example give shorter vectors than it was trained for. */
static bool dimensions_fit(const struct target *target, const struct call *call,
                           struct error *err) {
    const struct model *model = target->model;
    int64_t wanted = call->request.asked.dimensions;
    if (wanted == 0 || !model || wanted == model->embedding_length) return true;
    if (wanted < model->embedding_length && model_shortens_vectors(model)) return true;
    return error_set_param(err, ERR_INVALID_REQUEST, "dimensions",
                           wanted > model->embedding_length
                               ? "The vectors of '%.80s' have only %u numbers; ask for no more."
                               : "'%.80s' is not known to give good shorter vectors; leave "
                                 "'dimensions' out or ask for %u.",
                           target->model_key, model->embedding_length);
}

/* The worker would say so too, but only after a load. */
static bool can_read(const struct target *target, const struct call *call, struct error *err) {
    const struct model *model = target->model;
    if (!call->request.asked.sealed.has_images) return true;
    if (!model || model_has_vision(model)) return true;
    if (model->projector) {
        return error_set_param(
            err, ERR_NOT_SUPPORTED, "messages",
            "'%.80s' cannot read images here: its way of numbering positions in "
            "pictures (M-RoPE) is not supported yet; leave the images out.",
            target->model_key);
    }
    return error_set_param(err, ERR_NOT_SUPPORTED, "messages",
                           "'%.80s' reads text only; leave the images out, or use a model with "
                           "an mmproj file beside it.",
                           target->model_key);
}

/* The settings of the load that the call would cause. */
static bool plan_of(struct supervisor *sup, const struct target *target,
                    const struct call *call, struct load_settings *ret) {
    const struct load_settings requested = call_requested(call);
    bool own = call_asks_for_settings(call);
    struct lc_plan plan;
    struct error unwanted;
    return target->model &&
           supervisor_plan(sup, target->model, own ? &requested : NULL, ret, &plan, &unwanted);
}

/* As libllama counts the tokens of a file that lists them. */
static int32_t vocabulary_of(const struct model *model) {
    bool known = model && model->vocabulary > 0 && model->vocabulary <= INT32_MAX;
    return known ? (int32_t)model->vocabulary : INT32_MAX;
}

/* For a text with a gap. */
static bool has_marks(const struct target *target, const struct request *request,
                      struct error *err) {
    if (!request->suffix || !target->model || target->model->infill) return true;
    return error_set_param(err, ERR_NOT_SUPPORTED, "suffix",
                           "'%.80s' cannot fill in the middle; leave 'suffix' out, or use a "
                           "model made for code completion.",
                           target->model_key);
}

/* ... and what the worker would refuse unread costs no load or eviction, nor does a text that
 * fits into no context. (The number of tokens is known only once the model is loaded.)
 * ret_rules: what still has to be checked. */
static bool can_be_prepared(struct supervisor *sup, const struct target *target,
                            const struct call *call, struct buf *ret_rules, struct error *err) {
    const struct sealed_body *body = &call->request.asked.sealed;
    struct sampling defaults = sampling_defaults();
    struct request request = { 0 };
    struct load_settings effective;
    bool ok = request_parse(&request, body->text, body->len, &defaults,
                            vocabulary_of(target->model), err) &&
              has_marks(target, &request, err);
    if (ok && plan_of(sup, target, call, &effective)) {
        struct prompt_bound bound = { .context = (size_t)effective.context_length,
                                      .longest_token = target->model->longest_token };
        ok = prompt_length_may_fit(&request, &bound, err);
        if (ok)
            rules_write(&request.chat, load_settings_prepare_seconds(&effective), ret_rules);
    }
    request_clear(&request);
    return ok;
}

/* There is no JIT loading, and no instance that could serve it. */
static bool never_loads(struct supervisor *sup, const struct target *target) {
    uint32_t model = supervisor_model_number(sup, target->model_key);
    return !sup->config.settings->rules.jit && lifecycle_find(&sup->lc, model) == LC_NO_SLOT;
}

/* Make all checks that are possible before a load, unless a loaded worker can make them as
 * soon, or reading the body's values would hold the loop for too long. ret_waits: the call
 * begins once more when its schema or grammar has been checked. */
static bool deserves_load(struct supervisor *sup, const struct target *target,
                          struct call *call, bool *ret_waits, struct error *err) {
    struct buf rules = BUF_INIT(FRAME_MAX_TO_WORKER);
    *ret_waits = false;
    if (call->request.rules_state == RULES_CHECKED || sup->lc.shutting_down ||
        never_loads(sup, target) || supervisor_is_up(sup, target->model_key) ||
        call->request.asked.sealed.values > READ_VALUES_MAX)
        return true;
    bool ok = can_be_prepared(sup, target, call, &rules, err);
    if (ok && rules.len > 0)
        ok = supervisor_check_rules(sup, call, target->model_key, &rules, ret_waits, err);
    buf_clear(&rules);
    return ok;
}

bool supervisor_begin_request(struct supervisor *sup, struct call *call, struct error *err) {
    const struct service_request *asked = &call->request.asked;
    struct target target;
    struct lc_event ev = { .client = asked->client, .ttl = supervisor_ttl(asked->ttl) };
    bool found = asked->instance
                     ? supervisor_resolve_reference(sup, asked->instance, &target, err)
                     : supervisor_resolve(sup, asked->model, &target, err);
    const struct load_settings requested = call_requested(call);
    bool waits = false;
    return found && allowed_models_require(&asked->allowed, target.model_key, err) &&
           type_fits(&target, call, err) && dimensions_fit(&target, call, err) &&
           can_read(&target, call, err) && deserves_load(sup, &target, call, &waits, err) &&
           (waits || begin(sup, call, &target, call_asks_for_settings(call) ? &requested : NULL,
                           &ev, err));
}

bool supervisor_begin_get_or_load(struct supervisor *sup, struct call *call,
                                  struct error *err) {
    const struct load_options *options = &call->load.options;
    struct target target;
    struct lc_event ev = { .ttl = supervisor_ttl(options->ttl) };
    return supervisor_resolve(sup, options->model, &target, err) &&
           allowed_models_require(&options->allowed, target.model_key, err) &&
           begin(sup, call, &target, &options->requested, &ev, err);
}
