/* SPDX-License-Identifier: MIT */
/*
 * load_settings.h - how a model is to be loaded: one resolver for every path (JIT loading, rule
 * 6).
 *
 * effective = built-in defaults <- the user's settings for all models <- for this model <-
 * requested by this load. Pure.
 */
#ifndef DOZE_LOAD_LOAD_SETTINGS_H
#define DOZE_LOAD_LOAD_SETTINGS_H

#include <yyjson.h>

#include "catalog/catalog.h"

/* Zero or negative values as noted mean "not said" in a layer, and "the engine's default" in
 * the effective settings. */
struct load_settings {
    int64_t context_length;  /* 0: not said; effective: the model's, bounded by the memory */
    int64_t parallel;        /* 0; effective: 4 */
    int64_t eval_batch_size; /* 0; effective: 512 */
    int64_t num_experts;     /* 0: the model's */
    int64_t threads;         /* 0: by cores and busy workers */
    int gpu_layers;          /* -2: not said; -1: all */
    int flash_attention;     /* -1: not said: auto; 0 off; 1 on */
    int offload_kv_cache_to_gpu;                      /* -1: not said */
    char kv_type_k[8], kv_type_v[8];                  /* "": f16 */
    double rope_frequency_base, rope_frequency_scale; /* 0: the model's */
    int mmap;                                         /* -1: not said: on */
    int mlock;                                        /* -1: not said: off */
    char repack[12];                                  /* "": "background" */
    int64_t seed; /* -1: not said: a new one for each request; of requests that bring none */
    int64_t chunk_size; /* tokens computed at once; 0: not said: as suits the device */
    /* Numbers of the daemon's texts (daemon/load_texts.h), which no settings file holds; 0: not
     * said. */
    int64_t chat_template, reasoning_ending;
};

#define LOAD_SETTINGS_UNSET                                                                    \
    {                                                                                          \
        .gpu_layers = -2, .flash_attention = -1, .offload_kv_cache_to_gpu = -1, .mmap = -1,    \
        .mlock = -1, .seed = -1                                                                \
    }

/* Read a layer from JSON with the names above; unknown names and wrong types are errors with
 * the field's name (these come from the settings file and PATCH). */
bool load_settings_parse(yyjson_val *obj, struct load_settings *ret_settings,
                         struct error *err);

/* The names and values that are said, as an object of `doc`: what load_settings_parse reads. */
yyjson_mut_val *load_settings_format(const struct load_settings *settings, yyjson_mut_doc *doc);

/* Merge an object of such values into a layer; null: no longer said (RFC 7396). Fails like
 * load_settings_parse, and the layer is as it was. */
bool load_settings_patch(struct load_settings *layer, yyjson_val *patch, struct error *err)
    __attribute__((warn_unused_result));

/* What is said in `over` wins. */
void load_settings_merge(struct load_settings *settings, const struct load_settings *over);

struct load_layers {
    const struct load_settings *for_all, *for_model, *requested; /* each may be NULL */
    nbytes budget; /* a context length that nobody says fits into so many bytes; 0: any does */
};

/* Merge the layers, fill defaults, clamp to what the model can. Fails with ERR_INVALID_REQUEST
 * for what it cannot (context longer than the model's). */
bool load_settings_resolve(const struct model *model, const struct load_layers *layers,
                           struct load_settings *ret_effective, struct error *err);

/* Equal hashes: an instance loaded with one would do for the other. */
uint64_t load_settings_hash(const struct load_settings *effective);

/* The context starts with room for so many tokens, and grows with the conversations up to
 * context_length x parallel. Fewer cost hardly less time and memory (measured: 0.5B, 1024
 * cells: 12 MB). */
enum { LOAD_FIRST_CELLS = 1024 };

/* Bytes an instance takes when it is loaded: weights + KV cache of the context that it starts
 * with + compute buffers. */
nbytes load_settings_need(const struct model *model, const struct load_settings *effective);

/* Tokens of one conversation for which an instance finds room in so many bytes. */
int64_t load_settings_tokens(const struct model *model, const struct load_settings *effective,
                             nbytes budget);

/* Expected time to load, from the size alone (file in the page cache); at least 1 ms. */
msec load_settings_reload_time(const struct model *model);

#endif
