/* SPDX-License-Identifier: MIT */
#include "load/load_plan.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

/* PLAIN_CONTEXT: where the model does not say, and where a long one is not free. */
enum { PLAIN_CONTEXT = 4096, CONTEXT_STEP = 256, DEFAULT_PARALLEL = 4, DEFAULT_BATCH = 512 };

/* What a worker takes besides weights and KV cache, measured with models of 0.5 to 1.5 billion
 * parameters: 36-44 MB for process, libraries and vocabulary; activations grow with the batch
 * and the model's width, about eight vectors of floats for each token. */
static const double worker_base = 48.0 * 1024 * 1024;
static const double activation_bytes = 8 * sizeof(float);

/* What an encoder of pictures computes in, beside its weights: 4,096 patches of 1,152 values in
 * its widest layer, which is four times that, and as much around it. */
static const nbytes picture_bytes = (nbytes)4096 * 1152 * 4 * 2 * sizeof(float);

/* Bytes of one value in the cache: a block's bytes by its elements (ggml-common.h). */
static const double kv_type_bytes[] = {
    [KV_TYPE_UNSET] = 2,        [KV_TYPE_F16] = 2,
    [KV_TYPE_BF16] = 2,         [KV_TYPE_F32] = 4,
    [KV_TYPE_Q8_0] = 34.0 / 32, [KV_TYPE_Q5_1] = 24.0 / 32,
    [KV_TYPE_Q5_0] = 22.0 / 32, [KV_TYPE_Q4_1] = 20.0 / 32,
    [KV_TYPE_Q4_0] = 18.0 / 32, [KV_TYPE_IQ4_NL] = 18.0 / 32,
};
_Static_assert(sizeof kv_type_bytes / sizeof *kv_type_bytes == KV_TYPE_COUNT, "bytes each");

/* A draft model has its values as f16, whatever the model's are. */
static const struct load_settings of_draft = { .kv_type_k = KV_TYPE_F16,
                                               .kv_type_v = KV_TYPE_F16 };

/* In doubles: foreign headers can hold any figures, and an estimate needs no last digit. What
 * the file does not say counts as nothing: to refuse a model that would fit is worse. */
static double own_cell_bytes(const struct model_shape *model,
                             const struct load_settings *effective) {
    return (double)model->layers * model->kv_heads *
           (model->key_length * kv_type_bytes[effective->kv_type_k] +
            model->value_length * kv_type_bytes[effective->kv_type_v]);
}

static double cell_bytes(const struct model_shape *model,
                         const struct load_settings *effective) {
    double draft = model->draft ? own_cell_bytes(model->draft, &of_draft) : 0;
    return own_cell_bytes(model, effective) + draft;
}

nbytes load_plan_vision(const struct model_shape *model) {
    return model->projector_size > 0 ? model->projector_size + picture_bytes : 0;
}

/* Without any cells. */
static double base_bytes(const struct model_shape *model,
                         const struct load_settings *effective) {
    double activations = (double)effective->eval_batch_size * model->embedding_length *
                         activation_bytes;
    double vision = (double)load_plan_vision(model), draft = 0;
    if (model->draft)
        draft = (double)model->draft->size + (double)effective->eval_batch_size *
                                                 model->draft->embedding_length *
                                                 activation_bytes;
    return (double)model->size + (double)model->adapters_size + worker_base + activations +
           vision + draft;
}

/* Embedding models take one input at a time, which has to have room at once. */
static double first_cells(const struct model_shape *model,
                          const struct load_settings *effective) {
    double whole = (double)effective->context_length;
    if (model->type == MODEL_EMBEDDINGS) return whole;
    whole *= (double)effective->parallel;
    return whole < LOAD_FIRST_CELLS ? whole : LOAD_FIRST_CELLS;
}

nbytes load_plan_need(const struct model_shape *model, const struct load_settings *effective) {
    double need = base_bytes(model, effective) +
                  cell_bytes(model, effective) * first_cells(model, effective);
    return need < 0x1p63 ? (nbytes)ceil(need) : (nbytes)1 << 63;
}

nbytes load_plan_whole(const struct model_shape *model, const struct load_settings *effective) {
    double whole = base_bytes(model, effective) +
                   cell_bytes(model, effective) * (double)effective->context_length;
    return whole < 0x1p63 ? (nbytes)ceil(whole) : (nbytes)1 << 63;
}

int64_t load_plan_tokens(const struct model_shape *model, const struct load_settings *effective,
                         nbytes budget) {
    double room = (double)budget - base_bytes(model, effective);
    double cell = cell_bytes(model, effective);
    if (room <= 0) return 0;
    double tokens = cell > 0 ? floor(room / cell) : 0x1p62;
    return tokens < 0x1p62 ? (int64_t)tokens : INT64_MAX;
}

/* Weights are mapped, not read; what grows with the size is the reading ahead, at about 1
 * GiB/s. */
msec load_plan_reload_time(const struct model_shape *model) {
    nbytes size = model->size + (model->draft ? model->draft->size : 0);
    msec time = (msec)(size >> 20);
    return time > 0 ? time : 1;
}

/* Linear scaling stretches the positions that the model was trained on. */
static int64_t longest_context(const struct model_shape *model,
                               const struct load_settings *settings) {
    if (model->context_length <= 0) return INT64_MAX;
    double scale = settings->rope_frequency_scale;
    return scale > 0 ? (int64_t)((double)model->context_length / scale) : model->context_length;
}

static bool fit_context(const struct model_shape *model, const struct load_settings *requested,
                        struct load_settings *settings, struct error *err) {
    int64_t longest = longest_context(model, settings);
    if (requested && requested->context_length > longest) {
        return error_set_param(err, ERR_INVALID_REQUEST, "context_length",
                               "'context_length' is %lld, but %s can have %lld at most.",
                               (long long)requested->context_length, model->name,
                               (long long)longest);
    }
    if (settings->context_length > longest) settings->context_length = longest;
    return true;
}

/* The model's own, which costs nothing before it is used; but not more than there will ever be
 * memory for. Encoders take memory for it at once. */
static int64_t default_context(const struct model_shape *model,
                               const struct load_settings *settings, nbytes budget) {
    int64_t longest = longest_context(model, settings), length = longest;
    if (model->context_length <= 0 || model->type == MODEL_EMBEDDINGS) length = PLAIN_CONTEXT;
    if (length > longest) length = longest;
    if (budget == 0 || length <= PLAIN_CONTEXT) return length;
    int64_t fits = load_plan_tokens(model, settings, budget) / CONTEXT_STEP * CONTEXT_STEP;
    if (fits < PLAIN_CONTEXT) fits = PLAIN_CONTEXT;
    return length < fits ? length : fits;
}

/* Encoders see a whole input in one batch or not at all; the worker sees to that, also past the
 * bound of the setting. */
static int64_t default_batch(const struct model_shape *model, int64_t context_length) {
    if (model->type != MODEL_EMBEDDINGS || context_length < DEFAULT_BATCH) return DEFAULT_BATCH;
    return context_length < LOAD_MAX_BATCH ? context_length : LOAD_MAX_BATCH;
}

/* What moves the last bits of an answer: how many tokens share a batch, and which kernels
 * compute it. Flash attention has a kernel of its own for long batches, so that a prompt's end
 * comes out different if its beginning was remembered: log-probabilities by 0.006 (measured,
 * AVX2). The worker keeps its number of threads. */
static void make_reproducible(struct load_settings *settings) {
    settings->parallel = 1;
    if (settings->flash_attention < 0 && kv_type_is_float(settings->kv_type_v))
        settings->flash_attention = 0;
    if (settings->repack != LOAD_REPACK_NEVER) settings->repack = LOAD_REPACK_FIRST;
    settings->speculation = LOAD_SPECULATION_OFF;
    memset(settings->draft_model, 0, sizeof settings->draft_model);
}

static void fill_draft(struct load_settings *settings) {
    if (!*settings->draft_model) return;
    if (settings->draft_tokens <= 0) settings->draft_tokens = LOAD_DRAFT_TOKENS;
    if (settings->draft_min_probability < 0)
        settings->draft_min_probability = LOAD_DRAFT_PROBABILITY;
}

static void fill_defaults(const struct model_shape *model, nbytes budget,
                          struct load_settings *settings) {
    bool encoder = model->type == MODEL_EMBEDDINGS;
    if (settings->reproducible > 0) make_reproducible(settings);
    if (settings->gpu_layers < -1) settings->gpu_layers = -1;
    if (settings->parallel <= 0) settings->parallel = DEFAULT_PARALLEL;
    if (settings->eval_batch_size <= 0 && !encoder) settings->eval_batch_size = DEFAULT_BATCH;
    if (settings->context_length <= 0)
        settings->context_length = default_context(model, settings, budget);
    if (settings->eval_batch_size <= 0)
        settings->eval_batch_size = default_batch(model, settings->context_length);
    if (settings->kv_type_k == KV_TYPE_UNSET) settings->kv_type_k = KV_TYPE_F16;
    if (settings->kv_type_v == KV_TYPE_UNSET) settings->kv_type_v = KV_TYPE_F16;
    if (settings->repack == LOAD_REPACK_UNSET) settings->repack = LOAD_REPACK_BACKGROUND;
    if (settings->speculation == LOAD_SPECULATION_UNSET)
        settings->speculation = LOAD_SPECULATION_OFF;
    if (settings->adapters.count == 0) settings->adapters.count = -1;
    fill_draft(settings);
}

/* A share of the layers says how many, as `gpu_layers` of the same or an earlier layer does. */
static void count_layers(const struct model_shape *model, struct load_settings *settings) {
    if (settings->gpu < 0) return;
    settings->gpu_layers = settings->gpu == 1 ? -1 : llround(settings->gpu * model->layers);
    settings->gpu = -1;
}

const struct load_adapters *load_plan_adapters(const struct load_layers *layers) {
    const struct load_settings *order[] = { layers->requested, layers->for_model,
                                            layers->for_all };
    for (size_t i = 0; i < 3; i++) {
        if (order[i] && order[i]->adapters.count >= 0)
            return order[i]->adapters.count > 0 ? &order[i]->adapters : NULL;
    }
    return NULL;
}

bool load_plan_resolve(const struct model_shape *model, const struct load_layers *layers,
                       struct load_settings *ret_effective, struct error *err) {
    struct load_settings settings = LOAD_SETTINGS_UNSET;
    const struct load_settings *order[] = { layers->for_all, layers->for_model,
                                            layers->requested };
    for (size_t i = 0; i < 3; i++) {
        if (!order[i]) continue;
        load_settings_merge(&settings, order[i]);
        count_layers(model, &settings);
    }
    if (!fit_context(model, layers->requested, &settings, err)) return false;
    fill_defaults(model, layers->budget, &settings);
    if (settings.flash_attention == 0 && !kv_type_is_float(settings.kv_type_v)) {
        return error_set_param(err, ERR_INVALID_REQUEST, "kv_type_v",
                               "'kv_type_v' %s needs flash attention, which is switched off.",
                               kv_type_name(settings.kv_type_v));
    }
    *ret_effective = settings;
    return true;
}
