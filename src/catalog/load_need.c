/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <string.h>

#include "catalog/load_settings.h"

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
nbytes load_settings_need(const struct model *model, const struct load_settings *effective) {
    double cell = (double)model->layers * model->kv_heads *
                  (model->key_length * kv_type_bytes(effective->kv_type_k) +
                   model->value_length * kv_type_bytes(effective->kv_type_v));
    /* Embedding models take one input at a time. */
    int64_t contexts = model->type == MODEL_EMBEDDINGS ? 1 : effective->parallel;
    double cells = (double)effective->context_length * (double)contexts;
    double activations = (double)effective->eval_batch_size * model->embedding_length *
                         activation_bytes;
    double need = (double)model->size + cell * cells + worker_base + activations;
    return need < 0x1p63 ? (nbytes)ceil(need) : (nbytes)1 << 63;
}

/* Weights are mapped, not read; what grows with the size is the reading ahead, at about 1
 * GiB/s. */
msec load_settings_reload_time(const struct model *model) {
    msec time = (msec)(model->size >> 20);
    return time > 0 ? time : 1;
}
