/* SPDX-License-Identifier: MIT */
/*
 * load_message.h - the payload of MSG_LOAD and MSG_MEASURE as a struct: written by the daemon,
 * read by the worker. Pure.
 *
 * In JSON: the load settings that are set, by their names (load_settings.h), and beside them
 * "path", "projector", "draft", "identifier", "cells", "prompt_tokens", "prefetched",
 * "whole_bytes", "device_bytes", "lent_bytes", "memory_bytes", "draft_trial",
 * "shrink_seconds", "growth_seconds" and "prompts", which is an object of "mode", "dir" and
 * "memory_bytes". Only "path" has to be there.
 */
#ifndef DOZE_IPC_LOAD_MESSAGE_H
#define DOZE_IPC_LOAD_MESSAGE_H

#include "base/buf.h"
#include "load/load_settings.h"

enum prompt_store_mode { PROMPT_STORE_OFF, PROMPT_STORE_MEMORY, PROMPT_STORE_ON };
enum { PROMPT_STORE_MODE_COUNT = PROMPT_STORE_ON + 1 };

extern const char *const prompt_store_modes[PROMPT_STORE_MODE_COUNT]; /* "off", ... */

/* Where processed prompts are kept. */
struct load_prompts {
    enum prompt_store_mode mode;
    const char *dir; /* the model's folder, made when needed; with PROMPT_STORE_ON never NULL */
    int64_t memory_bytes;
};

struct load_message {
    struct load_settings settings; /* effective; unset: as in LOAD_MESSAGE_DEFAULTS */
    const char *path;              /* absolute; first file of a split set */
    const char *projector;         /* the same of the model's mmproj file; NULL: none */
    const char *draft;             /* the same of its draft model; NULL: none */
    const char *identifier;        /* for the log; "" if none */
    int64_t cells;         /* tokens the context has room for at first; 0: all it may have */
    int64_t prompt_tokens; /* about what the first request needs, if that is more */
    bool prefetched;       /* the file is in the page cache: no need to look */
    int64_t whole_bytes;   /* an estimate of all that it may take; 0: unknown */
    int64_t device_bytes;  /* of devices' memory, for the model to be fitted into; 0: any */
    int64_t lent_bytes; /* of another node's memory, on LENT_FD, instead of devices'; 0: none */
    int64_t memory_bytes;  /* the load may take this; 0: what the machine has */
    int64_t draft_trial;   /* steps after which guesses may be left; 0: as lookup.h has it */
    double shrink_seconds; /* idle for this long it gives back room that it does not use */
    double growth_seconds; /* a daemon that has not answered GROW by then has refused */
    struct load_prompts prompts;
    yyjson_doc *doc; /* what the strings point into; NULL if they are somebody else's */
};

/* What the worker takes for what is not said. */
#define LOAD_MESSAGE_DEFAULTS                                                                  \
    {                                                                                          \
        .settings = { .parallel = 4,                                                           \
                      .eval_batch_size = 512,                                                  \
                      .flash_attention = -1,                                                   \
                      .offload_kv_cache_to_gpu = 1,                                            \
                      .gpu_layers = -1,                                                        \
                      .gpu = -1,                                                               \
                      .main_gpu = -1,                                                          \
                      .num_cpu_experts = -1,                                                   \
                      .kv_type_k = KV_TYPE_F16,                                                \
                      .kv_type_v = KV_TYPE_F16,                                                \
                      .repack = LOAD_REPACK_NEVER,                                             \
                      .mmap = 1,                                                               \
                      .draft_tokens = LOAD_DRAFT_TOKENS,                                       \
                      .draft_min_probability = LOAD_DRAFT_PROBABILITY,                         \
                      .seed = -1,                                                              \
                      .adapters = LOAD_ADAPTERS_UNSET },                                       \
        .identifier = "", .shrink_seconds = 30, .growth_seconds = 30, .prompts = {             \
            .memory_bytes = 256 << 20                                                          \
        }                                                                                      \
    }

void load_message_format(const struct load_message *message, struct buf *out);

/* ERR_INVALID_REQUEST with the name of the field. Clear it with load_message_clear(). */
bool load_message_parse(struct load_message *ret, const char *text, size_t len,
                        struct error *err) __attribute__((warn_unused_result));

/* The load of its draft model, which is not NULL; borrows the texts. */
struct load_message load_message_of_draft(const struct load_message *message);

/* Accepts a zeroed one. */
void load_message_clear(struct load_message *message);

#endif
