/* SPDX-License-Identifier: MIT */
/*
 * make.h - the kinds of models that can be made, as functions; main.c gives each a command.
 *
 * Every *_make writes the file at `out` or fails in one sentence, leaving nothing behind.
 */
#ifndef DOZE_TOOLS_MAKE_H
#define DOZE_TOOLS_MAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* What the decoder models share. Zero or NULL: the kind's own default. */
struct decoder_options {
    const char *out, *name, *arch, *type; /* type: f16 f32 q8_0 q4_0 */
    const char *chat_template;            /* path of a Jinja file; NULL: ChatML */
    int64_t layers, embd, heads, kv_heads, ff, context, window;
    int64_t size; /* bytes; instead of the five above */
};

/* Random weights. A real vocabulary may be taken from another GGUF; the small one has the bytes
 * and some hundred invented words. Such a model never says an end token or a lone byte of its
 * own: it talks until it is stopped. */
struct random_options {
    struct decoder_options decoder;
    const char *vocab; /* "small" or the path of a GGUF */
    int64_t seed;
};
bool random_make(const struct random_options *options, struct error *err);

/* Weights set by hand: after any prompt the model says the text, then ends (or begins again).
 * With `then` that is so where there are tools and no result of one yet; elsewhere it says
 * `then`. */
struct spoken_options {
    struct decoder_options decoder;
    const char *text, *text_file; /* one of them */
    const char *then;
    bool loop;
};
bool spoken_make(const struct spoken_options *options, struct error *err);

/* A BERT-shaped embedding model with random weights; with the pooling rank a reranker. */
struct embedding_options {
    const char *out, *name, *pooling, *vocab; /* pooling: mean cls rank; vocab as for random */
    int64_t layers, embd, heads, ff, context, seed;
};
bool embedding_make(const struct embedding_options *options, struct error *err);

/* A projector (mmproj) with random weights, for a model with `embd` columns. gemma3: the tokens
 * of a picture see one another. */
struct projector_options {
    const char *out, *kind; /* kind: mlp gemma3 */
    int64_t embd, seed;
};
bool projector_make(const struct projector_options *options, struct error *err);

/* A LoRA adapter with random weights for the layers of a model. */
struct adapter_options {
    const char *out, *model;
    const char *arch; /* that it says it is for; NULL: the model's */
    int64_t rank, alpha, seed;
    bool invoked; /* an aLoRA adapter, which works from its invocation tokens on */
};
bool adapter_make(const struct adapter_options *options, struct error *err);

/* The model that results from an adapter on another, in f32. */
struct merged_options {
    const char *out, *model, *adapter;
    double scale;
};
bool merged_make(const struct merged_options *options, struct error *err);

/* A file that cannot be loaded, for one reason. */
struct broken_options {
    const char *out, *kind;
};
extern const char broken_kinds[]; /* separated by | */
bool broken_make(const struct broken_options *options, struct error *err);

/* Two small spoken models below dir, in LM Studio's layout; files that exist are left alone. */
struct demo_options {
    const char *dir;
};
bool demo_make(const struct demo_options *options, struct error *err);

#endif
