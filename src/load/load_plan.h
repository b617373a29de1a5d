/* SPDX-License-Identifier: MIT */
/*
 * load_plan.h - from layers of load settings to the plan of one model's load: the effective
 * settings, the memory and the time it takes. One resolver for every path (JIT loading, rule
 * 6).
 *
 * effective = defaults <- the user's settings for all models <- for this model <- requested by
 * this load. Pure.
 */
#ifndef DOZE_LOAD_LOAD_PLAN_H
#define DOZE_LOAD_LOAD_PLAN_H

#include "base/msec.h"
#include "base/terms.h"
#include "load/load_settings.h"

/* What a plan has to know of a model. */
struct model_shape {
    const char *name; /* for messages */
    enum model_type type;
    nbytes size;            /* of its files */
    nbytes projector_size;  /* of the file that it sees with; 0: it does not */
    nbytes adapters_size;   /* of the files of the adapters that it is loaded with */
    int64_t context_length; /* that it was trained for; 0: unknown */
    uint32_t layers, kv_heads, key_length, value_length, embedding_length; /* 0: unknown */
    const struct model_shape *draft; /* loaded beside it (draft_model); NULL: none */
};

struct load_layers {
    const struct load_settings *for_all, *for_model, *requested; /* each may be NULL */
    nbytes budget; /* that the default context length fits into; 0: any does */
};

/* The adapters that they name together: the nearest list counts. NULL: none. */
const struct load_adapters *load_plan_adapters(const struct load_layers *layers);

/* Merge the layers, fill in the defaults, bound by what the model can. ERR_INVALID_REQUEST: a
 * longer context than the model's is requested, or settings contradict one another. */
bool load_plan_resolve(const struct model_shape *model, const struct load_layers *layers,
                       struct load_settings *ret_effective, struct error *err)
    __attribute__((warn_unused_result));

/* Tokens that the context has room for at first; it grows with the conversations up to
 * context_length x parallel. Fewer would hardly save time or memory (measured: 0.5B, 1024
 * cells: 12 MB). */
enum { LOAD_FIRST_CELLS = 1024 };

/* Bytes an instance takes when it is loaded: weights, KV cache of the context that it starts
 * with, compute buffers. */
nbytes load_plan_need(const struct model_shape *model, const struct load_settings *effective);

/* The same once one conversation fills the context. */
nbytes load_plan_whole(const struct model_shape *model, const struct load_settings *effective);

/* How many of these bytes are for images; 0: it reads none. */
nbytes load_plan_vision(const struct model_shape *model);

/* Tokens of one conversation for which an instance has room in that many bytes. */
int64_t load_plan_tokens(const struct model_shape *model, const struct load_settings *effective,
                         nbytes budget);

/* Expected time to load, from the size alone (file in the page cache); at least 1 ms. */
msec load_plan_reload_time(const struct model_shape *model);

#endif
