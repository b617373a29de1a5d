/* SPDX-License-Identifier: MIT */
/* load_request.h - MSG_LOAD as a struct, every field checked. Pure. */
#ifndef DOZE_ENGINE_LOAD_REQUEST_H
#define DOZE_ENGINE_LOAD_REQUEST_H

#include <stdbool.h>
#include <stdint.h>
#include <yyjson.h>

#include "base/error.h"

enum { LOAD_MAX_PARALLEL = 64, LOAD_MAX_CONTEXT = 1 << 24 };

/* Whether weights are put into the order that the processor likes best: never, after the first
 * token was served, before it. */
enum load_repack { LOAD_REPACK_NEVER, LOAD_REPACK_BACKGROUND, LOAD_REPACK_FIRST };

struct load_prompts { /* the prompt store */
    const char *dir;  /* of the model; NULL: none */
    const char *mode; /* "on", "memory", "off" */
    int64_t memory_bytes;
};

struct load_request {
    yyjson_doc *doc; /* what the strings point into */
    const char *path, *identifier;
    const char *flash_attention;       /* "auto", "on", "off" */
    const char *kv_type_k, *kv_type_v; /* "f16", ... */
    const char *chat_template;         /* NULL: the model's */
    const char *reasoning_ending;      /* see model.h */
    int64_t context_length;            /* tokens per request; 0: the default */
    int64_t cells;         /* tokens the context starts with room for; 0: all it may have */
    int64_t prompt_tokens; /* or for so many; a guess, nothing fails for want of it */
    bool prefetched;       /* the file is in memory: no need to look */
    int64_t memory_bytes;  /* the instance may not grow beyond so many; 0: no limit */
    double shrink_seconds; /* idle for so long it gives back the room that it does not use */
    int64_t parallel, batch;
    int64_t chunk; /* tokens computed at once, at most batch; 0: what suits the device */
    int64_t threads, threads_batch;                   /* 0: as many as cores */
    int64_t gpu_layers;                               /* -1: all */
    int64_t num_experts;                              /* 0: the model's */
    double rope_frequency_base, rope_frequency_scale; /* 0: the model's */
    bool offload_kv; /* keep the KV cache where the layers are */
    int64_t seed;    /* of requests without one; -1: none */
    bool mmap, mlock;
    enum load_repack repack;
    struct load_prompts prompts;
};

/* Fails with ERR_INVALID_REQUEST naming the field. Clear it with load_request_clear(). */
bool load_request_parse(struct load_request *ret, const char *text, size_t len,
                        struct error *err);

/* Accepts a zeroed one. */
void load_request_clear(struct load_request *request);

#endif
