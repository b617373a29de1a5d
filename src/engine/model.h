/* SPDX-License-Identifier: MIT */
/* model.h - a loaded model: how it is opened and what is known about it. */
#ifndef DOZE_ENGINE_MODEL_H
#define DOZE_ENGINE_MODEL_H

#include <llama.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "engine/plan_shim.h"
#include "engine/request.h"
#include "ipc/load_message.h"

struct model {
    struct llama_model *weights;
    const struct llama_vocab *vocab;
    struct chat_templates *templates;
    struct sampling sampling; /* the defaults, as the model's author recommends them */
    int32_t vocab_size;
    struct projector *projector; /* NULL: it reads no images */
    char
        *vision_error; /* why LOAD's projector cannot be used; NULL: it can, or there is none */
    struct llama_adapter_lora *adapters[LOAD_MAX_ADAPTERS]; /* freed with the weights */
    float scales[LOAD_MAX_ADAPTERS];                        /* of the adapters */
    size_t adapter_count;
    uint64_t adapter_bytes; /* of their files */
    char *reasoning_ending; /* text added when a budget of reasoning is used up; NULL: none */
    bool embeds;            /* made for embeddings: it pools, and generates nothing */
    bool ranks;             /* of those: it gives a score of a query and a document */
    bool remembers;     /* recurrent or hybrid: a sequence's tail cannot be dropped at will */
    int32_t window;     /* sliding attention window in tokens; 0: none */
    int64_t loading;    /* us that libllama took for it */
    bool mapped;        /* weights are the file's pages */
    bool repacked;      /* some are not, but copies in another order */
    const char *device; /* that has most of it: its description, or "cpu" */
    int32_t gpu_layers; /* on devices; -1: all */
};

/* progress: 0..1; the load goes on while it returns true. May be called from llama's code. */
typedef bool (*model_progress_fn)(float progress, void *ctx);

/* placed: where its parts go (placement.h); NULL: to the CPU. ERR_LOAD_FAILED or ERR_NO_MEMORY,
 * with libllama's own words. */
bool model_open(struct model *ret, const struct load_message *request,
                const struct llama_model_params *placed, model_progress_fn progress,
                void *progress_ctx, struct error *err);
/* Weights and vocabulary only, without templates and sampling. */
bool model_open_weights(struct model *ret, const struct load_message *request,
                        const struct llama_model_params *placed, model_progress_fn progress,
                        void *progress_ctx, struct error *err);
void model_close(struct model *model);

/* Open the projector that LOAD names, if any. Without it the model still reads text;
 * model->vision_error says why it reads no images. */
void model_open_projector(struct model *model, const struct load_message *request);

/* A number of the architecture's metadata ("attention.key_length"), or `otherwise`. */
uint64_t model_arch_number(const struct llama_model *weights, const char *key,
                           uint64_t otherwise);
/* Made for embeddings: it pools, attends in both directions, or has no decoder at all. */
bool model_is_embedder(const struct llama_model *weights);
/* Is it an embedder that was made to rank documents? */
bool model_is_ranker(const struct llama_model *weights);
/* It has two sets of rope factors, of which libllama takes one by the length of the context:
 * states of contexts on different sides of that length do not fit together. */
bool model_has_long_rope(const struct llama_model *weights);

/* Layers on devices with memory of their own. */
int32_t model_device_layers(const struct model *model);

/* About the bytes that the adapters take on devices; libllama does not count them. */
uint64_t model_adapter_device_bytes(const struct model *model);

/* Bytes that the machine loses to this worker: its own memory and, if the weights are mapped,
 * the file's pages, which stay resident as long as they are used. */
uint64_t model_memory_bytes(const struct model *model);
/* The pages among them. */
uint64_t model_page_bytes(const struct model *model);

#endif
