/* SPDX-License-Identifier: MIT */
/*
 * context.h - the key-value cells and compute buffers of a model's sequences. A context can be
 * replaced by a larger or smaller one while the model stays.
 */
#ifndef DOZE_ENGINE_CONTEXT_H
#define DOZE_ENGINE_CONTEXT_H

#include <llama.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "engine/cpu_threads.h"
#include "engine/model.h"
#include "ipc/load_message.h"

struct context {
    struct llama_context *llama;
    struct llama_context_params params; /* of this context and of its successors */
    llama_memory_t memory;              /* NULL: the model has none (encoders) */
    int32_t cells;                      /* tokens that all sequences together can hold now */
    int32_t first, most;                /* cells at the start, and the limit */
    uint64_t cell_bytes;                /* estimate of what one more cell takes */
    int32_t length;   /* limit of one request's tokens, prompt and answer together */
    int32_t parallel; /* sequences 0 .. parallel-1 */
    int32_t batch;    /* limit of llama_decode */
    int32_t chunk;    /* tokens that are decoded at once; at most batch */
    int32_t threads;  /* at most */
    bool steady;      /* always the same threads and pieces, whatever else runs */
    bool drafts;      /* answers take guesses (draft.h) */
    bool lookups;     /* ... from their conversation (lookup.h) */
    struct ggml_threadpool *pool; /* NULL: no batch needed more than one thread yet */
    int64_t making;               /* us that libllama took for it */
    bool flash_attention;
    bool on_cpu; /* all of the model */
    bool narrow; /* its batches hold sequence 0 only (sequences.h) */
};

enum context_width { CONTEXT_WIDE, CONTEXT_NARROW };

/* Fails with ERR_LOAD_FAILED or ERR_NO_MEMORY, with libllama's own words. The model must
 * outlive the context. NARROW: its batches hold sequence 0 only, where that is faster. */
bool context_open(struct context *ret, const struct model *model,
                  const struct load_message *request, enum context_width width,
                  struct error *err);

/* Replace the context by one with `cells` cells (rounded up) on this model, which may be
 * another copy of the one it was made on; the sequences are copied. Fails with ERR_NO_MEMORY
 * or ERR_INTERNAL; then nothing has changed. */
bool context_replace(struct context *context, const struct model *model, int32_t cells,
                     struct error *err);

/* Let its batches hold every sequence. Fails as context_replace() does. */
bool context_widen(struct context *context, const struct model *model, struct error *err);

/* Swap sequence `seq` of a narrow context with sequence 0. */
void context_swap(const struct context *context, llama_seq_id seq);

/* Compute the batch with one thread for each idle core. Returns what llama_decode or, for an
 * encoder, llama_encode returns: 0 done, 2 aborted, others failed. */
int32_t context_compute(struct context *context, struct cpu_threads *cpu,
                        struct llama_batch batch);

/* Does its attention compute many tokens at once in tiles, and a few one by one? ggml's for the
 * processor does with flash attention and cells that are not quantized. */
bool context_tiles(const struct context *context);

/* Drop what the sequence holds from position `count` on. False if that cannot be done exactly;
 * then the whole sequence has been dropped. */
bool context_keep(const struct context *context, const struct model *model, llama_seq_id seq,
                  size_t count);

/* Have the context compute with the other one's threads, if it has none and the other has. */
void context_share_pool(struct context *context, const struct context *other);

/* The parameters for the request's context; the figures also go to *ret. */
void context_fill_params(struct llama_context_params *ret_params, struct context *ret,
                         const struct model *model, const struct load_message *request);

#endif
