/* SPDX-License-Identifier: MIT */
/*
 * catalog.h - the models on disk: which there are, what they are called, what they need.
 *
 * A scan makes an immutable snapshot; the daemon scans on a pool thread and swaps the pointer
 * on the loop. Files are foreign: a broken one is listed with the reason. Reads headers only,
 * never weights. Layouts understood: <dir>/<publisher>/<model>/<file>.gguf (LM Studio), flat
 * folders, and the Hugging Face cache
 * (models--<publisher>--<model>/snapshots/<rev>/<file>.gguf, blobs are links). Split sets
 * (-00001-of-0000N.gguf) are one model; projectors (mmproj-*.gguf) are none, and give their
 * neighbour nothing.
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
    char *path;          /* absolute; first file of a split set */
    char *architecture;  /* "qwen2"; "" if unknown */
    char *quantization;  /* "Q8_0", "F16", ...; "" if unknown */
    char *params_string; /* "494M", "1.5B"; "" if unknown */
    char *problem;       /* one sentence why it cannot be loaded; NULL: it can */
    enum model_type type;
    nbytes size; /* all files of the set */
    uint64_t parameters;
    double bits_per_weight;
    msec modified;          /* Unix ms */
    int64_t context_length; /* the model's own maximum; 0 if unknown */
    uint32_t layers, kv_heads, key_length, value_length, embedding_length;
    bool has_chat_template, tool_use, reasoning;
};

/* What a load plan has to know of it; borrows the key. */
struct model_shape model_shape(const struct model *model);

struct catalog {
    struct model *models; /* sorted by key */
    size_t count;
};

/* Walk the folders (missing ones are skipped). Never NULL; caller frees with catalog_free. Safe
 * on any thread. At most 10,000 models, 8 levels, links followed once. */
struct catalog *catalog_scan(const char *const *dirs, size_t dir_count);
void catalog_free(struct catalog *catalog);

/* JIT loading, rule 5: exact key first, then publisher/name, @quant suffix, file name with or
 * without .gguf, letter case tolerated. Models with a problem are found too (the caller says
 * the problem). NULL if there is none. */
const struct model *catalog_find(const struct catalog *catalog, const char *name);

/* Up to three names of models close to what was asked, best first; borrowed. Returns how many.
 */
size_t catalog_close_names(const struct catalog *catalog, const char *name,
                           const char *ret_names[3]);

/* Pure: does `name` mean a model with this key and publisher? Shared by catalog_find and tests.
 */
bool model_name_matches(const struct model *model, const char *name);

#endif
