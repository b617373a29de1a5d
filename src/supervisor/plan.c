/* SPDX-License-Identifier: MIT */
/* plan.c - plans of loads for the lifecycle. */
#include <string.h>

#include "base/hash.h"
#include "base/xalloc.h"
#include "supervisor/draft_model.h"
#include "supervisor/internal.h"

/* One load, with its draft model. */
struct planned {
    struct load_layers layers;
    struct model_shape shape, draft_shape;
    const struct model *draft; /* NULL: none */
};

uint32_t supervisor_model_number(struct supervisor *sup, const char *key) {
    for (uint32_t i = 0; i < sup->model_count; i++) {
        if (strcmp(sup->model_names[i], key) == 0) return i;
    }
    uint32_t number = sup->model_count++;
    sup->model_names = xrealloc(sup->model_names, sup->model_count * sizeof *sup->model_names);
    sup->model_names[number] = xstrdup(key);
    return number;
}

msec supervisor_ttl(struct ttl ttl) {
    return ttl.given ? ttl.value : LC_TTL_NOT_GIVEN;
}

/* Changes with the files' sizes or times of change. */
static uint64_t file_stamp(const struct model *model, const struct model *draft) {
    uint64_t stamp = hash_add(HASH_BEGIN, &model->size, sizeof model->size);
    stamp = hash_add(stamp, &model->modified, sizeof model->modified);
    return draft ? hash_add(stamp, &draft->modified, sizeof draft->modified) : stamp;
}

struct model_shape supervisor_shape(const struct supervisor *sup, const struct model *model,
                                    const struct load_adapters *adapters) {
    struct model_shape shape = model_shape(model);
    struct adapter_sum sum;
    struct error gone; /* the load will say so */
    if (adapter_files_check(sup->adapter_files, model, adapters, &sum, &gone))
        shape.adapters_size = sum.size;
    return shape;
}

/* The device memory that the worker will try to use (placement.h): for its share of the
 * layers, with a context that one conversation fills. */
static nbytes device_wish(const struct supervisor *sup, const struct model_shape *shape,
                          const struct load_settings *effective) {
    int64_t layers = effective->gpu_layers, all = (int64_t)shape->layers + 1;
    if (supervisor_device_budget(sup) == 0 || layers == 0) return 0;
    nbytes whole = load_plan_whole(shape, effective);
    if (layers < 0 || layers >= all) return whole;
    return (nbytes)((double)whole * (double)layers / (double)all);
}

/* A draft model that is set for all models is used by those that it fits. */
static bool is_for_all(const struct load_layers *layers) {
    const struct load_settings *model = layers->for_model, *requested = layers->requested;
    return !(model && *model->draft_model) && !(requested && *requested->draft_model);
}

/* Find the draft model that the settings name, replace its name by the key in the catalog, and
 * resolve the settings once more with its memory. */
static bool plan_draft(const struct supervisor *sup, const struct model *model,
                       struct planned *p, struct load_settings *effective, struct error *err) {
    char *name = effective->draft_model;
    if (!*name) return true;
    if (!draft_model_find(*sup->config.catalog, model, name, &p->draft, err)) {
        memset(name, 0, sizeof effective->draft_model);
        return is_for_all(&p->layers);
    }
    p->draft_shape = model_shape(p->draft);
    p->shape.draft = &p->draft_shape;
    if (!load_plan_resolve(&p->shape, &p->layers, effective, err)) return false;
    memset(name, 0, sizeof effective->draft_model);
    memcpy(name, p->draft->key, strlen(p->draft->key));
    return true;
}

struct load_layers supervisor_layers(const struct supervisor *sup, const struct model *model,
                                     const struct load_settings *requested) {
    const struct settings *settings = sup->config.settings;
    const struct model_entry *entry = model_settings_find(&settings->models, model->key);
    return (struct load_layers){ .for_all = &settings->load,
                                 .for_model = entry ? &entry->load : NULL,
                                 .requested = requested,
                                 .budget = settings->memory_limit ? settings->memory_limit
                                                                  : sup->memory_total };
}

/* With a part in another node's memory, only the rest has to fit here. */
static void plan_loan(const struct supervisor *sup, const struct model_shape *shape,
                      const struct load_settings *effective, struct lc_plan *plan) {
    struct loan_offer offer;
    if (!supervisor_find_loan(sup, shape, effective, &offer)) return;
    nbytes whole = load_plan_whole(shape, effective);
    plan->need = whole > offer.part ? whole - offer.part : 1;
    plan->wish = 0;
}

/* A worker that has the model can be given a context of another length. */
static uint64_t hash_beside_context(const struct load_settings *effective) {
    struct load_settings rest = *effective;
    rest.context_length = 0;
    return load_settings_hash(&rest);
}

/* One that serves can be given fewer requests at a time. */
static uint64_t hash_beside_parallel(const struct load_settings *effective) {
    struct load_settings rest = *effective;
    rest.parallel = 0;
    return load_settings_hash(&rest);
}

bool supervisor_plan(const struct supervisor *sup, const struct model *model,
                     const struct load_settings *requested, struct load_settings *ret_effective,
                     struct lc_plan *ret_plan, struct error *err) {
    if (model->problem) {
        return error_set(err, ERR_LOAD_FAILED, "The model '%.80s' cannot be loaded: %s",
                         model->key, model->problem);
    }
    const struct model_entry *entry = model_settings_find(&sup->config.settings->models,
                                                          model->key);
    struct planned p = { .shape = model_shape(model),
                         .layers = supervisor_layers(sup, model, requested) };
    struct adapter_sum sum = { 0 };
    const struct load_adapters *adapters = load_plan_adapters(&p.layers);
    if (adapters && !adapter_files_check(sup->adapter_files, model, adapters, &sum, err))
        return false;
    p.shape.adapters_size = sum.size;
    if (!load_plan_resolve(&p.shape, &p.layers, ret_effective, err) ||
        !plan_draft(sup, model, &p, ret_effective, err))
        return false;
    *ret_plan = (struct lc_plan){
        .settings = load_settings_hash(ret_effective),
        .lasting = hash_beside_parallel(ret_effective),
        .worker = hash_beside_context(ret_effective),
        .need = load_plan_need(&p.shape, ret_effective),
        .wish = device_wish(sup, &p.shape, ret_effective),
        .reload = load_plan_reload_time(&p.shape),
        .parallel = (uint32_t)ret_effective->parallel,
        .file = file_stamp(model, p.draft) ^ sum.stamp,
        .type = model->type == MODEL_EMBEDDINGS ? LC_TYPE_EMBEDDING : LC_TYPE_LANGUAGE,
        .ttl = entry && entry->ttl != MODEL_TTL_UNSET ? entry->ttl : LC_TTL_NOT_GIVEN
    };
    plan_loan(sup, &p.shape, ret_effective, ret_plan);
    return true;
}

bool supervisor_is_up(struct supervisor *sup, const char *model_key) {
    int slot = lifecycle_find(&sup->lc, supervisor_model_number(sup, model_key));
    if (slot == LC_NO_SLOT) return false;
    enum lc_state state = sup->lc.slots[slot].state;
    return state == LC_LOADING || state == LC_IDLE || state == LC_BUSY;
}

bool supervisor_plan_target(struct supervisor *sup, const struct target *target,
                            const struct load_settings *requested, struct lc_plan *ret_plan,
                            struct error *err) {
    struct load_settings effective;
    if (target->model &&
        supervisor_plan(sup, target->model, requested, &effective, ret_plan, err)) {
        return true;
    }
    *ret_plan = (struct lc_plan){ .reload = 1, .parallel = 1, .ttl = LC_TTL_NOT_GIVEN };
    return !target->model || (!requested && supervisor_is_up(sup, target->model_key));
}
