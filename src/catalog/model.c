/* SPDX-License-Identifier: MIT */
#include "catalog/model.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/split_files.h"
#include "base/utf8.h"
#include "base/xalloc.h"
#include "catalog/capabilities.h"
#include "catalog/gguf_file.h"
#include "catalog/gguf_types.h"
#include "catalog/model_name.h"
#include "catalog/text_safe.h"

/* The first problem is the one that is reported. */
static void __attribute__((format(printf, 2, 3)))
set_problem(struct model *model, const char *fmt, ...) {
    if (model->problem) return;
    struct error text;
    char line[sizeof text.text];
    va_list args;
    va_start(args, fmt);
    vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    error_set(&text, ERR_LOAD_FAILED, "%s", line); /* makes it safe to show */
    model->problem = xstrdup(text.text);
}

static bool is_one_of(const char *word, const char *a, const char *b) {
    return strcmp(word, a) == 0 || strcmp(word, b) == 0;
}

static bool is_projector(const struct gguf_meta *meta, const char *file) {
    return model_name_is_projector(file) || strcmp(meta->kind, "mmproj") == 0 ||
           is_one_of(meta->architecture, "clip", "mmproj");
}

static void set_params_string(struct model *model) {
    double n = (double)model->parameters;
    char text[16];
    if (n < 1e3) {
        text[0] = '\0';
    } else if (n < 999.5e3) {
        snprintf(text, sizeof text, "%.0fK", n / 1e3);
    } else if (n < 999.5e6) {
        snprintf(text, sizeof text, "%.0fM", n / 1e6);
    } else if (n < 99.95e9) {
        snprintf(text, sizeof text, "%.1fB", n / 1e9);
    } else {
        snprintf(text, sizeof text, "%.0fB", n / 1e9);
    }
    char *whole = strstr(text, ".0B");
    if (whole) memcpy(whole, "B", 2); /* 7.0B becomes 7B */
    free(model->params_string);
    model->params_string = xstrdup(text);
}

static const char *quantization_of(const struct gguf_meta *meta, const char *file,
                                   char room[16]) {
    const char *name = gguf_file_type_name(meta->file_type);
    if (name[0]) return name;
    if (meta->main_type[0]) return meta->main_type;
    model_name_quantization(file, room);
    return room;
}

static uint32_t at_most_u32(int64_t n) {
    return n < 0 ? 0 : n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

/* A vocabulary may write a token longer than its text, never shorter. Other tokenizers than
 * these drop white space, or take any word for the unknown one. The least is for texts that a
 * small vocabulary does not cover. */
static uint32_t longest_token(const struct gguf_meta *meta) {
    enum { LEAST = 8 };
    if (!is_one_of(meta->tokenizer, "gpt2", "llama") || meta->longest_token == 0) return 0;
    if (meta->longest_token > UINT32_MAX) return 0;
    return meta->longest_token < LEAST ? LEAST : (uint32_t)meta->longest_token;
}

/* What the file leaves out is derived as llama.cpp does (llama-model.cpp, load_hparams). */
static void set_shape(struct model *model, const struct gguf_meta *meta) {
    int64_t head_length = meta->heads > 0 ? meta->embedding_length / meta->heads : 0;
    model->context_length = meta->context_length;
    model->layers = at_most_u32(meta->layers);
    model->embedding_length = at_most_u32(meta->embedding_length);
    model->kv_heads = at_most_u32(meta->kv_heads ? meta->kv_heads : meta->heads);
    model->key_length = at_most_u32(meta->key_length ? meta->key_length : head_length);
    model->value_length = at_most_u32(meta->value_length ? meta->value_length : head_length);
}

static void set_facts(struct scanned *scanned, const struct gguf_meta *meta,
                      const struct model_place *place) {
    struct model *model = &scanned->model;
    char room[16];
    bool embeddings = architecture_is_embedding(meta->architecture, meta->pooling_type);
    char *title = text_safe(meta->name, strnlen(meta->name, sizeof meta->name));
    scanned->is_projector = is_projector(meta, place->file);
    scanned->is_model = !scanned->is_projector && !is_one_of(meta->kind, "adapter", "imatrix");
    model->display_name = title[0] ? title : model_stem(place);
    if (!title[0]) free(title);
    model->architecture = text_safe(meta->architecture, strlen(meta->architecture));
    model->license = text_safe(meta->license, strnlen(meta->license, sizeof meta->license));
    model->quantization = xstrdup(quantization_of(meta, place->file, room));
    model->type = embeddings ? MODEL_EMBEDDINGS : MODEL_LLM;
    model->ranks = pooling_is_rank(meta->pooling_type);
    model->has_chat_template = meta->has_chat_template;
    model->tool_use = meta->tool_use && !embeddings;
    model->reasoning = meta->reasoning && !embeddings;
    model->infill = meta->infill;
    model->mixed_positions = meta->position_sections > 0;
    model->longest_token = longest_token(meta);
    memcpy(model->tokenizer, meta->tokenizer, sizeof model->tokenizer);
    model->vocabulary = meta->vocabulary;
    model->vocabulary_print = meta->vocabulary_print;
    set_shape(model, meta);
}

static void check_facts(struct model *model, const struct gguf_meta *meta) {
    if (!meta->architecture[0]) {
        set_problem(model, "The file does not name its architecture.");
    } else if (model->parameters == 0) {
        set_problem(model, "The file holds a vocabulary but no weights.");
    }
    if (!utf8_is_valid(model->path, strlen(model->path))) {
        set_problem(model,
                    "The name of the file or of its folder is not valid UTF-8; rename it.");
    }
}

/* Add what one file of the model contributes. */
static void add_part(struct model *model, const struct found_file *file, size_t count,
                     struct gguf_meta *meta) {
    struct error err;
    struct split_name split = { .part = 1, .count = 1 };
    bool part = count > 1 && split_name_parse(file->path, &split);
    if (!gguf_file_read(file->path, meta, &err)) {
        if (part) {
            set_problem(model, "Part %u of %u: %s", split.part, split.count, err.text);
        } else {
            set_problem(model, "%s", err.text);
        }
    }
    model->size += file->size;
    model->parameters += meta->parameters;
    model->bits_per_weight += (double)meta->tensor_bytes * 8; /* divided at the end */
    if (file->modified > model->modified) model->modified = file->modified;
}

static void check_parts(struct model *model, const struct found_file *files, size_t count) {
    struct split_name split;
    if (!split_name_parse(files[0].path, &split)) return;
    for (unsigned expected = 1; expected <= split.count; expected++) {
        struct split_name there = { 0 };
        if (expected <= count) (void)split_name_parse(files[expected - 1].path, &there);
        if (there.part == expected) continue;
        set_problem(model, "Part %u of %u is missing (%zu are present); download it again.",
                    expected, split.count, count);
        return;
    }
}

void scanned_read(const struct found_file *files, size_t count, struct scanned *ret_scanned) {
    *ret_scanned = (struct scanned){ .model = { .path = xstrdup(files[0].path),
                                                .path_text = xstrdup(files[0].path) } };
    utf8_mend(ret_scanned->model.path_text);
    struct model *model = &ret_scanned->model;
    struct model_place place = model_place_parse(files[0].path + files[0].root_len);
    model->key = model_base(&place);
    model->publisher = text_safe(place.publisher ? place.publisher : "local",
                                 place.publisher ? place.publisher_len : strlen("local"));
    check_parts(model, files, count);
    struct gguf_meta first, other;
    add_part(model, &files[0], count, &first);
    for (size_t i = 1; i < count; i++) add_part(model, &files[i], count, &other);
    set_facts(ret_scanned, &first, &place);
    check_facts(model, &first);
    if (model->parameters) model->bits_per_weight /= (double)model->parameters;
    set_params_string(model);
}

void model_clear(struct model *model) {
    free(model->key);
    free(model->publisher);
    free(model->display_name);
    free(model->path);
    free(model->path_text);
    free(model->architecture);
    free(model->quantization);
    free(model->license);
    free(model->params_string);
    free(model->problem);
    free(model->projector);
    *model = (struct model){ 0 };
}

bool model_has_vision(const struct model *model) {
    return model->projector && !model->mixed_positions && model->type == MODEL_LLM;
}

struct model_shape model_shape(const struct model *model) {
    return (struct model_shape){ .name = model->key,
                                 .type = model->type,
                                 .size = model->size,
                                 .projector_size = model_has_vision(model)
                                                       ? model->projector_size
                                                       : 0,
                                 .context_length = model->context_length,
                                 .layers = model->layers,
                                 .kv_heads = model->kv_heads,
                                 .key_length = model->key_length,
                                 .value_length = model->value_length,
                                 .embedding_length = model->embedding_length };
}
