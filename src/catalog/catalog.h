/* SPDX-License-Identifier: MIT */
/*
 * catalog.h - the models on disk: their names, facts and faults.
 *
 * A scan makes an immutable snapshot; the daemon scans on a pool thread and swaps the pointer
 * on the loop. Files are not trusted: a broken one is listed with the reason. Only headers are
 * read, never weights. Layouts: <dir>/<publisher>/<model>/<file>.gguf (LM Studio), flat
 * folders, and the Hugging Face cache (models--<publisher>--<model>/snapshots/<rev>/<file>,
 * with links to blobs). Split sets (-00001-of-0000N.gguf) are one model. Projectors
 * (mmproj-*.gguf) are not models, but the projectors of those in their folder.
 */
#ifndef DOZE_CATALOG_CATALOG_H
#define DOZE_CATALOG_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/msec.h"
#include "base/terms.h"
#include "load/load_plan.h"

struct model {
    char *key;       /* unique in the catalog: "qwen2.5-0.5b-instruct"; a second quantization of
                           the same name is "qwen2.5-0.5b-instruct@q4_0" */
    char *publisher; /* folder's name or "local" */
    char *display_name;  /* general.name of the file, or from the file's name */
    char *path;          /* absolute, any bytes; first file of a split set */
    char *path_text;     /* the same as UTF-8, to show */
    char *architecture;  /* "qwen2"; "" if unknown */
    char *quantization;  /* "Q8_0", "F16", ...; "" if unknown */
    char *params_string; /* "494M", "1.5B"; "" if unknown */
    char *license;       /* as the file names it; "" if it does not */
    char *problem;       /* one sentence why it cannot be loaded; NULL: it can */
    enum model_type type;
    nbytes size; /* all files of the set */
    uint64_t parameters;
    double bits_per_weight;
    msec modified;          /* Unix ms */
    int64_t context_length; /* the model's own maximum; 0 if unknown */
    uint32_t layers, kv_heads, key_length, value_length, embedding_length;
    char tokenizer[16];        /* its kind: "gpt2", "llama", ...; "" if unknown */
    uint64_t vocabulary;       /* tokens */
    uint64_t vocabulary_print; /* equal for vocabularies that begin the same */
    uint32_t longest_token;    /* bytes of text that a token stands for at most; 0: unknown */
    bool has_chat_template, tool_use, reasoning;
    bool infill;     /* it has marks for a text with a gap */
    bool ranks;      /* of MODEL_EMBEDDINGS: it gives no vectors, but scores of documents */
    char *projector; /* path of its mmproj file; NULL: it reads text only */
    nbytes projector_size;
    bool mixed_positions; /* M-RoPE: the engine cannot show it pictures */
};

/* Can it be shown pictures? */
bool model_has_vision(const struct model *model);

/* What a load plan has to know of it; borrows the key. */
struct model_shape model_shape(const struct model *model);

struct catalog {
    struct model *models; /* sorted by key */
    size_t count;
};

/* Scan the folders; missing ones are skipped. Never NULL; the caller frees with catalog_free.
 * Safe on any thread. At most 10,000 models; see walk.h for the other bounds. */
struct catalog *catalog_scan(const char *const *dirs, size_t dir_count);
void catalog_free(struct catalog *catalog);

/* docs/lifecycle.md, JIT loading: an exact key first, then publisher/name, a @quant suffix, a
 * file name with or without .gguf; letter case does not matter. A wrong publisher is passed
 * over where only one model has the name. Before a name of an embedding model may stand
 * "text-embedding-". Models with a problem are found too. NULL if no model fits. */
const struct model *catalog_find(const struct catalog *catalog, const char *name);

/* Up to three keys close to the name, best first; borrowed. Returns how many. */
size_t catalog_close_names(const struct catalog *catalog, const char *name,
                           const char *ret_names[3]);

/* Does the name stand for this model? Pure. */
bool model_name_matches(const struct model *model, const char *name);
/* Does "publisher/name", for any publisher? */
bool model_name_matches_of_any(const struct model *model, const char *name);

#endif
