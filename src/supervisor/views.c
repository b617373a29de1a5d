/* SPDX-License-Identifier: MIT */
/* views.c - what can be seen of models and instances, as plain data for the dialects. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "supervisor/internal.h"

enum instance_origin supervisor_origin(enum lc_origin origin) {
    return origin == LC_ORIGIN_JIT ? ORIGIN_JIT : ORIGIN_EXPLICIT;
}

static enum instance_state state_of(enum lc_state state) {
    static const enum instance_state states[] = {
        [LC_ABSENT] = INSTANCE_QUEUED,     [LC_LOADING] = INSTANCE_LOADING,
        [LC_IDLE] = INSTANCE_IDLE,         [LC_BUSY] = INSTANCE_BUSY,
        [LC_DRAINING] = INSTANCE_DRAINING, [LC_UNLOADING] = INSTANCE_UNLOADING,
    };
    return states[state];
}

/* Not a slot that only remembers a failed load. */
bool supervisor_shows(const struct supervisor *sup, int slot) {
    if (!sup->instances[slot].identifier) return false;
    if (sup->lc.slots[slot].state != LC_ABSENT) return true;
    return lifecycle_view(&sup->lc, slot).waiting > 0;
}

bool supervisor_holds(const struct supervisor *sup, int slot) {
    return supervisor_shows(sup, slot) || sup->lc.slots[slot].intended;
}

static enum model_type type_of(const struct supervisor *sup, const struct instance *in) {
    const struct model *model = catalog_find(*sup->config.catalog, in->model_key);
    return model ? model->type : MODEL_LLM;
}

static enum instance_work work_of(const struct call *call) {
    if (call->kind != CALL_REQUEST || call_lc_kind(call) != LC_KIND_INFER) return WORK_NONE;
    enum service_op op = call->request.asked.op;
    if (op == OP_EMBEDDING || op == OP_RERANK) return WORK_EMBEDDING;
    return call->request.generating ? WORK_GENERATING : WORK_PROMPT;
}

static enum instance_work work_in(const struct supervisor *sup, int slot) {
    enum instance_work farthest = WORK_NONE;
    for (uint32_t i = 0; i < sup->lc.request_count; i++) {
        const struct lc_request *request = &sup->lc.requests[i];
        if (request->slot != slot || request->state != LC_RUNNING) continue;
        struct call *call = call_find(sup->calls, request->id);
        enum instance_work work = call ? work_of(call) : WORK_GENERATING;
        if (work > farthest) farthest = work;
    }
    return farthest;
}

/* For a busy instance that is now, because clients subtract the time since then from the
 * ttl. */
static int64_t last_used_at(const struct lc_slot *s, uint32_t running) {
    msec unix_now = clock_unix();
    return running > 0 ? unix_now : unix_now + s->last_used - clock_boottime();
}

uint64_t supervisor_reference(const struct supervisor *sup, int slot) {
    return (uint64_t)sup->lc.slots[slot].generation * LC_MAX_SLOTS + (uint64_t)slot;
}

int supervisor_find_slot(const struct supervisor *sup, uint64_t reference) {
    int slot = (int)(reference % LC_MAX_SLOTS);
    bool same = sup->instances[slot].identifier && supervisor_reference(sup, slot) == reference;
    return same ? slot : LC_NO_SLOT;
}

struct instance_view supervisor_view(const struct supervisor *sup, int slot) {
    const struct instance *in = &sup->instances[slot];
    const struct lc_slot *s = &sup->lc.slots[slot];
    struct lc_view view = lifecycle_view(&sup->lc, slot);
    msec now = clock_boottime(), unix_now = clock_unix();
    bool loaded = s->state != LC_ABSENT && s->state != LC_LOADING;
    return (struct instance_view){
        .reference = supervisor_reference(sup, slot),
        .identifier = in->identifier,
        .model_key = in->model_key,
        .type = type_of(sup, in),
        .origin = supervisor_origin(sup->lc.slots[slot].origin),
        .state = state_of(s->state),
        .work = work_in(sup, slot),
        .load_progress = loaded ? 1 : s->permille / 1000.0,
        .ttl = s->ttl == LC_TTL_NOT_GIVEN ? MSEC_NEVER : s->ttl,
        .expires_in = view.expires == MSEC_NEVER ? MSEC_NEVER : view.expires - now,
        .idle_expires_at = view.expires == MSEC_NEVER ? 0 : unix_now + view.expires - now,
        .last_used_at = loaded ? last_used_at(s, view.running) : 0,
        .loaded_at = loaded ? in->loaded_at : 0,
        .load_time_seconds = loaded ? in->load_seconds : 0,
        .memory_bytes = s->state == LC_ABSENT ? 0 : s->bytes,
        .device = in->facts.device,
        .device_layers = in->facts.device_layers,
        .device_memory_bytes = s->state == LC_ABSENT ? 0 : in->facts.device_memory,
        .settings = &in->effective,
        .keep = s->origin == LC_ORIGIN_EXPLICIT && pinned_has(&sup->pinned, in->identifier),
        .sampling = in->facts.sampling,
        .running = view.running,
        .waiting = view.waiting,
        .pid = in->worker ? worker_pid(in->worker) : 0,
        .repack = in->facts.repack,
        .prompts_kept = in->facts.prompts_kept,
        .prompt_hits = in->facts.prompt_hits,
        .prompt_bytes = in->facts.prompt_bytes,
    };
}

struct service_instance supervisor_facts(const struct supervisor *sup, int slot) {
    const struct instance *in = &sup->instances[slot];
    return (struct service_instance){ .identifier = in->identifier,
                                      .model_key = in->model_key,
                                      .architecture = in->facts.architecture,
                                      .quantization = in->facts.quantization,
                                      .context_length = in->effective.context_length };
}

static struct model_view view_of_model(const struct model *model) {
    return (struct model_view){
        .key = model->key,
        .publisher = model->publisher,
        .display_name = model->display_name,
        .path = model->path_text,
        .architecture = model->architecture,
        .quantization = model->quantization,
        .params_string = model->params_string,
        .license = model->license,
        .type = model->type,
        .problem = model->problem,
        .bits_per_weight = model->bits_per_weight,
        .size_bytes = model->size,
        .parameters = model->parameters,
        .max_context_length = model->context_length,
        .layers = model->layers,
        .modified_at = model->modified,
        .chat_template = model->has_chat_template,
        .tool_use = model->tool_use,
        .vision = model_has_vision(model),
        .reasoning = model->reasoning,
        .ranks = model->ranks,
    };
}

bool supervisor_find_model(struct supervisor *sup, const char *name,
                           struct model_view *ret_model) {
    const struct model *model = catalog_find(*sup->config.catalog, name);
    if (model) *ret_model = view_of_model(model);
    return model != NULL;
}

/* A model whose file is gone but which still has an instance. */
static struct model_view view_of_orphan(const struct instance *in) {
    return (struct model_view){
        .key = in->model_key,
        .publisher = "local",
        .display_name = in->model_key,
        .path = "",
        .architecture = in->facts.architecture,
        .quantization = in->facts.quantization,
        .params_string = "",
        .type = MODEL_LLM,
        .max_context_length = in->effective.context_length,
    };
}

bool supervisor_find_reference(struct supervisor *sup, uint64_t reference,
                               struct model_view *ret_model,
                               struct instance_view *ret_instance) {
    int slot = supervisor_find_slot(sup, reference);
    if (slot == LC_NO_SLOT || !supervisor_shows(sup, slot)) return false;
    *ret_instance = supervisor_view(sup, slot);
    if (!supervisor_find_model(sup, ret_instance->model_key, ret_model)) {
        *ret_model = view_of_orphan(&sup->instances[slot]);
    }
    return true;
}

static int compare_keys(const void *a, const void *b) {
    const struct model_view *x = a, *y = b;
    return strcmp(x->key, y->key);
}

static bool listed(const struct model_view *views, size_t count, const char *key) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(views[i].key, key) == 0) return true;
    }
    return false;
}

/* Models of the catalog and of instances without one, sorted by key. */
static size_t collect_models(struct supervisor *sup) {
    const struct catalog *catalog = *sup->config.catalog;
    size_t count = 0;
    for (size_t i = 0; i < catalog->count; i++) {
        sup->model_views[count++] = view_of_model(&catalog->models[i]);
    }
    size_t known = count;
    for (int slot = 0; slot < LC_MAX_SLOTS; slot++) {
        if (!supervisor_shows(sup, slot)) continue;
        const struct instance *in = &sup->instances[slot];
        if (catalog_find(catalog, in->model_key)) continue;
        if (listed(sup->model_views + known, count - known, in->model_key)) continue;
        sup->model_views[count++] = view_of_orphan(in);
    }
    if (count > known) qsort(sup->model_views, count, sizeof *sup->model_views, compare_keys);
    return count;
}

static void attach_instances(struct supervisor *sup, size_t model_count) {
    size_t used = 0, parked = 0;
    for (size_t m = 0; m < model_count; m++) {
        struct model_view *view = &sup->model_views[m];
        view->instances = sup->instance_views + used;
        for (int slot = 0; slot < LC_MAX_SLOTS; slot++) {
            if (!supervisor_shows(sup, slot)) continue;
            if (strcmp(sup->instances[slot].model_key, view->key) != 0) continue;
            sup->instance_views[used++] = supervisor_view(sup, slot);
            view->instance_count++;
        }
        view->parked = sup->parked_views + parked;
        view->parked_count = supervisor_view_parked(sup, view->key, sup->parked_views + parked);
        parked += view->parked_count;
    }
}

struct service_models supervisor_models(struct supervisor *sup) {
    size_t most = (*sup->config.catalog)->count + LC_MAX_SLOTS;
    sup->model_views = xrealloc(sup->model_views, most * sizeof *sup->model_views);
    if (!sup->instance_views) {
        sup->instance_views = xcalloc(LC_MAX_SLOTS, sizeof *sup->instance_views);
    }
    size_t count = collect_models(sup);
    attach_instances(sup, count);
    return (struct service_models){ .models = sup->model_views,
                                    .count = count,
                                    .jit = sup->config.settings->rules.jit };
}
