/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <string.h>

#include "load/load_settings.h"

/* What a worker takes besides weights and KV cache, measured with models of 0.5 to 1.5 billion
 * parameters: 36-44 MB for process, libraries and vocabulary; activations grow with the batch
 * and the model's width, about eight vectors of floats for each token. */
static const double worker_base = 48.0 * 1024 * 1024;
static const double activation_bytes = 8 * sizeof(float);

/* Bytes of one value in the cache: a block's bytes by its elements (ggml-common.h). */
static double kv_type_bytes(const char *name) {
    static const struct {
        const char *name;
        double bytes;
    } types[] = {
        { "f16", 2 },          { "bf16", 2 },         { "f32", 4 },
        { "q8_0", 34.0 / 32 }, { "q5_1", 24.0 / 32 }, { "q5_0", 22.0 / 32 },
        { "q4_1", 20.0 / 32 }, { "q4_0", 18.0 / 32 }, { "iq4_nl", 18.0 / 32 },
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(types[i].name, name) == 0) return types[i].bytes;
    }
    return 2;
}

/* In doubles: foreign headers can hold any figures, and an estimate needs no last digit. What
 * the file does not say counts as nothing: to refuse a model that would fit is worse. */
static double cell_bytes(const struct model *model, const struct load_settings *effective) {
    return (double)model->layers * model->kv_heads *
           (model->key_length * kv_type_bytes(effective->kv_type_k) +
            model->value_length * kv_type_bytes(effective->kv_type_v));
}

/* Without any cells. */
static double base_bytes(const struct model *model, const struct load_settings *effective) {
    double activations = (double)effective->eval_batch_size * model->embedding_length *
                         activation_bytes;
    return (double)model->size + worker_base + activations;
}

/* Embedding models take one input at a time, which has to have room at once. */
static double first_cells(const struct model *model, const struct load_settings *effective) {
    double whole = (double)effective->context_length;
    if (model->type == MODEL_EMBEDDINGS) return whole;
    whole *= (double)effective->parallel;
    return whole < LOAD_FIRST_CELLS ? whole : LOAD_FIRST_CELLS;
}

nbytes load_settings_need(const struct model *model, const struct load_settings *effective) {
    double need = base_bytes(model, effective) +
                  cell_bytes(model, effective) * first_cells(model, effective);
    return need < 0x1p63 ? (nbytes)ceil(need) : (nbytes)1 << 63;
}

int64_t load_settings_tokens(const struct model *model, const struct load_settings *effective,
                             nbytes budget) {
    double room = (double)budget - base_bytes(model, effective);
    double cell = cell_bytes(model, effective);
    if (room <= 0) return 0;
    double tokens = cell > 0 ? floor(room / cell) : 0x1p62;
    return tokens < 0x1p62 ? (int64_t)tokens : INT64_MAX;
}

/* Weights are mapped, not read; what grows with the size is the reading ahead, at about 1
 * GiB/s. */
msec load_settings_reload_time(const struct model *model) {
    msec time = (msec)(model->size >> 20);
    return time > 0 ? time : 1;
}
