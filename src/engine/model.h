/* SPDX-License-Identifier: MIT */
/*
 * model.h - a loaded model and its context: how they are made and what is known about them.
 *
 * The model (weights, vocabulary) and the context (key-value cells, compute buffers) are made
 * by separate functions: a context can be replaced while the model stays.
 */
#ifndef DOZE_ENGINE_MODEL_H
#define DOZE_ENGINE_MODEL_H

#include <llama.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "engine/chat_shim.h"
#include "engine/cpu_threads.h"
#include "engine/load_request.h"
#include "engine/request.h"
#include "engine/sandbox.h"

struct model {
    struct llama_model *weights;
    const struct llama_vocab *vocab;
    struct chat_templates *templates;
    struct sampling sampling; /* the defaults, as the model's author recommends them */
    int32_t vocab_size;
    char *reasoning_ending; /* said where a budget of reasoning is used up; NULL: nothing */
    bool embeds;            /* made for embeddings: it pools, and generates nothing */
    bool remembers;  /* recurrent or hybrid: a sequence's tail cannot be dropped at will */
    int32_t window;  /* sliding attention window in tokens; 0: none */
    int64_t loading; /* us that libllama took for it */
    bool mapped;     /* weights are the file's pages */
    bool repacked;   /* some are not, but copies in another order */
};

struct context {
    struct llama_context *llama;
    struct llama_context_params params; /* it was made with; the next one will be, too */
    llama_memory_t memory;              /* NULL: the model has none (encoders) */
    int32_t cells;                      /* tokens that all sequences together can hold now */
    int32_t first, most;                /* so many at first, and at most */
    uint64_t cell_bytes;                /* about what one more cell takes */
    int32_t length;   /* tokens one request may have, prompt and answer together */
    int32_t parallel; /* sequences 0 .. parallel-1 */
    int32_t batch;    /* most tokens that can be decoded at once */
    int32_t chunk;    /* so many are; at most batch */
    int32_t threads, threads_batch; /* most, for single tokens and for more */
    int64_t making;                 /* us that libllama took for it */
    bool flash_attention;
    bool on_cpu; /* all of the model */
};

/* progress: 0..1; the load goes on while it returns true. May be called from llama's code. */
typedef bool (*model_progress_fn)(float progress, void *ctx);

/* ERR_LOAD_FAILED or ERR_NO_MEMORY, with libllama's own words. */
bool model_open(struct model *ret, const struct load_request *request,
                model_progress_fn progress, void *progress_ctx, struct error *err);
void model_close(struct model *model);

/* The same errors. The model must outlive the context. */
bool context_open(struct context *ret, const struct model *model,
                  const struct load_request *request, struct error *err);
void context_close(struct context *context);

/* Put a context with so many cells (rounded up) in its place, on this model, which may be
 * another copy of the one it was made on; what the sequences hold is copied over. Fails with
 * ERR_NO_MEMORY or ERR_INTERNAL and leaves everything as it was. */
bool context_replace(struct context *context, const struct model *model, int32_t cells,
                     struct error *err);

/* Compute the batch, by as many threads as have a core of their own. What llama_decode or, of
 * an encoder, llama_encode returns. */
int32_t context_compute(struct context *context, struct cpu_threads *cpu,
                        struct llama_batch batch);

/* How the request's context is to be made; the figures also go to *ret. */
bool context_fill_params(struct llama_context_params *ret_params, struct context *ret,
                         const struct model *model, const struct load_request *request,
                         struct error *err);
/* A number of the architecture's metadata ("attention.key_length"), or `otherwise`. */
uint64_t model_arch_number(const struct llama_model *weights, const char *key,
                           uint64_t otherwise);
/* Made for embeddings: it pools, attends in both directions, or has no decoder at all. */
bool model_is_embedder(const struct llama_model *weights);
/* It has two sets of rope factors, of which libllama takes one by the length of the context:
 * states of contexts on different sides of that length do not fit together. */
bool model_has_long_rope(const struct llama_model *weights);

/* Bytes that model and context would take, of them on devices with their own memory. */
struct measured {
    uint64_t model, model_device, context, context_device;
};

/* Nothing is allocated for it. Fails with ERR_LOAD_FAILED. */
bool model_measure(const struct load_request *request, struct measured *ret, struct error *err);

/* The payload of MSG_READY. */
void model_describe(const struct model *model, const struct context *context,
                    const struct sandbox *sandbox, double load_seconds, struct buf *out);

/* Bytes that the machine loses to this worker: its own memory and, if the weights are mapped,
 * the file's pages, which stay resident as long as they are used. */
uint64_t model_memory_bytes(const struct model *model);

/* Drop what the sequence holds from position `count` on. False if that cannot be done exactly;
 * then the whole sequence has been dropped. */
bool context_keep(const struct context *context, const struct model *model, llama_seq_id seq,
                  size_t count);

#endif
