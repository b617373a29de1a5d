/* SPDX-License-Identifier: MIT */
#include "load/load_settings.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"

/* PLAIN_CONTEXT: where the model does not say, and where a long one is not free. */
enum { PLAIN_CONTEXT = 4096, CONTEXT_STEP = 256, DEFAULT_PARALLEL = 4, DEFAULT_BATCH = 512 };

enum kind { KIND_INT64, KIND_INT, KIND_SWITCH, KIND_DOUBLE, KIND_KV_TYPE, KIND_REPACK };

struct row {
    const char *name;
    enum kind kind;
    size_t offset;
    double min, max; /* of the numbers */
};

#define AT(member) offsetof(struct load_settings, member)

static const struct row rows[] = {
    { "context_length", KIND_INT64, AT(context_length), 1, 1 << 24 },
    { "parallel", KIND_INT64, AT(parallel), 1, 64 },
    { "eval_batch_size", KIND_INT64, AT(eval_batch_size), 1, 1 << 16 },
    { "chunk_size", KIND_INT64, AT(chunk_size), 1, 1 << 16 },
    { "num_experts", KIND_INT64, AT(num_experts), 1, 4096 },
    { "threads", KIND_INT64, AT(threads), 1, 1024 },
    { "gpu_layers", KIND_INT, AT(gpu_layers), -1, 1 << 16 },
    { "flash_attention", KIND_SWITCH, AT(flash_attention), 0, 1 },
    { "offload_kv_cache_to_gpu", KIND_SWITCH, AT(offload_kv_cache_to_gpu), 0, 1 },
    { "kv_type_k", KIND_KV_TYPE, AT(kv_type_k), 0, 0 },
    { "kv_type_v", KIND_KV_TYPE, AT(kv_type_v), 0, 0 },
    { "rope_frequency_base", KIND_DOUBLE, AT(rope_frequency_base), 1, 1e12 },
    { "rope_frequency_scale", KIND_DOUBLE, AT(rope_frequency_scale), 1e-6, 1 },
    { "repack", KIND_REPACK, AT(repack), 0, 0 },
    { "mmap", KIND_SWITCH, AT(mmap), 0, 1 },
    { "mlock", KIND_SWITCH, AT(mlock), 0, 1 },
    { "seed", KIND_INT64, AT(seed), 0, UINT32_MAX },
};
enum { ROW_COUNT = sizeof rows / sizeof rows[0] };

static const char *const kv_types[] = { "f16",  "bf16", "f32",  "q8_0",  "q5_1",
                                        "q5_0", "q4_1", "q4_0", "iq4_nl" };
enum {
    KV_TYPE_COUNT = sizeof kv_types / sizeof kv_types[0],
    KV_TYPE_SIZE = 8,
    REPACK_SIZE = 12
};

static const struct row *row_find(const char *name) {
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (strcmp(rows[i].name, name) == 0) return &rows[i];
    }
    return NULL;
}

static bool read_int(yyjson_val *obj, const struct row *row, char *to, struct error *err) {
    int64_t value = INT64_MIN;
    if (!json_read_int(obj, row->name, (int64_t)row->min, (int64_t)row->max, &value, err)) {
        return false;
    }
    if (value == INT64_MIN) return true; /* null: not said */
    if (row->kind == KIND_INT64) {
        memcpy(to, &value, sizeof value);
    } else {
        int narrow = (int)value;
        memcpy(to, &narrow, sizeof narrow);
    }
    return true;
}

static bool read_switch(yyjson_val *obj, const struct row *row, char *to, struct error *err) {
    bool value = false;
    if (yyjson_is_null(yyjson_obj_get(obj, row->name))) return true;
    if (!json_read_bool(obj, row->name, &value, err)) return false;
    int wide = value;
    memcpy(to, &wide, sizeof wide);
    return true;
}

static bool read_kv_type(yyjson_val *obj, const struct row *row, char *to, struct error *err) {
    const char *text = NULL;
    if (!json_read_str(obj, row->name, &text, err)) return false;
    if (!text) return true;
    for (size_t i = 0; i < KV_TYPE_COUNT; i++) {
        if (strcmp(text, kv_types[i]) != 0) continue;
        snprintf(to, KV_TYPE_SIZE, "%s", text);
        return true;
    }
    return error_set_param(
        err, ERR_INVALID_REQUEST, row->name,
        "'%s' must be one of f16, bf16, f32, q8_0, q5_1, q5_0, q4_1, q4_0, iq4_nl.", row->name);
}

static bool read_repack(yyjson_val *obj, const struct row *row, char *to, struct error *err) {
    const char *text = NULL;
    if (!json_read_str(obj, row->name, &text, err)) return false;
    if (!text) return true;
    if (strcmp(text, "background") != 0 && strcmp(text, "first") != 0 &&
        strcmp(text, "never") != 0) {
        return error_set_param(err, ERR_INVALID_REQUEST, row->name,
                               "'%s' must be \"background\", \"first\" or \"never\".",
                               row->name);
    }
    snprintf(to, REPACK_SIZE, "%s", text);
    return true;
}

static bool read_row(yyjson_val *obj, const struct row *row, struct load_settings *settings,
                     struct error *err) {
    char *to = (char *)settings + row->offset;
    switch (row->kind) {
    case KIND_INT64:
    case KIND_INT:
        return read_int(obj, row, to, err);
    case KIND_SWITCH:
        return read_switch(obj, row, to, err);
    case KIND_DOUBLE: {
        double value = 0;
        if (!json_read_double(obj, row->name, row->min, row->max, &value, err)) return false;
        memcpy(to, &value, sizeof value);
        return true;
    }
    case KIND_KV_TYPE:
        return read_kv_type(obj, row, to, err);
    case KIND_REPACK:
        return read_repack(obj, row, to, err);
    }
    return true;
}

bool load_settings_parse(yyjson_val *obj, struct load_settings *ret_settings,
                         struct error *err) {
    if (!yyjson_is_obj(obj)) {
        return error_set(err, ERR_INVALID_REQUEST, "Load settings must be an object, not %s.",
                         json_type_phrase(obj));
    }
    struct load_settings settings = LOAD_SETTINGS_UNSET;
    yyjson_obj_iter iter = yyjson_obj_iter_with(obj);
    for (yyjson_val *key; (key = yyjson_obj_iter_next(&iter));) {
        const char *name = yyjson_get_str(key);
        const struct row *row = row_find(name);
        if (!row) {
            return error_set_param(err, ERR_INVALID_REQUEST, name,
                                   "There is no load setting '%.64s'.", name);
        }
        if (!read_row(obj, row, &settings, err)) return false;
    }
    *ret_settings = settings;
    return true;
}

/* Bytes of the member that a row is about. */
static size_t row_size(const struct row *row) {
    switch (row->kind) {
    case KIND_INT64:
        return sizeof(int64_t);
    case KIND_INT:
    case KIND_SWITCH:
        return sizeof(int);
    case KIND_DOUBLE:
        return sizeof(double);
    case KIND_KV_TYPE:
        return KV_TYPE_SIZE;
    case KIND_REPACK:
        return REPACK_SIZE;
    }
    return 0;
}

static bool is_set(const struct load_settings *settings, const struct row *row) {
    static const struct load_settings unset = LOAD_SETTINGS_UNSET;
    return memcmp((const char *)settings + row->offset, (const char *)&unset + row->offset,
                  row_size(row)) != 0;
}

static yyjson_mut_val *row_value(yyjson_mut_doc *doc, const char *member, enum kind kind) {
    int64_t wide;
    int narrow;
    double real;
    switch (kind) {
    case KIND_INT64:
        memcpy(&wide, member, sizeof wide);
        return yyjson_mut_sint(doc, wide);
    case KIND_INT:
        memcpy(&narrow, member, sizeof narrow);
        return yyjson_mut_sint(doc, narrow);
    case KIND_SWITCH:
        memcpy(&narrow, member, sizeof narrow);
        return yyjson_mut_bool(doc, narrow != 0);
    case KIND_DOUBLE:
        memcpy(&real, member, sizeof real);
        return yyjson_mut_real(doc, real);
    case KIND_KV_TYPE:
    case KIND_REPACK:
        return yyjson_mut_strcpy(doc, member);
    }
    return NULL;
}

yyjson_mut_val *load_settings_format(const struct load_settings *settings,
                                     yyjson_mut_doc *doc) {
    yyjson_mut_val *obj = yyjson_mut_obj(doc);
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (!is_set(settings, &rows[i])) continue;
        const char *member = (const char *)settings + rows[i].offset;
        yyjson_mut_obj_add(obj, yyjson_mut_str(doc, rows[i].name),
                           row_value(doc, member, rows[i].kind));
    }
    return obj;
}

/* The patch is checked first: then it has no more names than there are load settings. */
bool load_settings_patch(struct load_settings *layer, yyjson_val *patch, struct error *err) {
    struct load_settings checked;
    if (!load_settings_parse(patch, &checked, err)) return false;
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *merged = load_settings_format(layer, doc);
    size_t i, max;
    yyjson_val *key, *val;
    yyjson_obj_foreach(patch, i, max, key, val) {
        yyjson_mut_obj_put(merged, yyjson_val_mut_copy(doc, key),
                           yyjson_val_mut_copy(doc, val));
    }
    yyjson_doc *read = yyjson_mut_val_imut_copy(merged, NULL);
    yyjson_mut_doc_free(doc);
    bool ok = load_settings_parse(yyjson_doc_get_root(read), layer, err); /* null: not said */
    yyjson_doc_free(read);
    return ok;
}

void load_settings_merge(struct load_settings *settings, const struct load_settings *over) {
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (!is_set(over, &rows[i])) continue;
        memcpy((char *)settings + rows[i].offset, (const char *)over + rows[i].offset,
               row_size(&rows[i]));
    }
    if (over->chat_template) settings->chat_template = over->chat_template;
    if (over->reasoning_ending) settings->reasoning_ending = over->reasoning_ending;
}

/* Linear scaling stretches the positions that the model was trained on. */
static int64_t longest_context(const struct model *model,
                               const struct load_settings *settings) {
    if (model->context_length <= 0) return INT64_MAX;
    double scale = settings->rope_frequency_scale;
    return scale > 0 ? (int64_t)((double)model->context_length / scale) : model->context_length;
}

static bool fit_context(const struct model *model, const struct load_settings *requested,
                        struct load_settings *settings, struct error *err) {
    int64_t longest = longest_context(model, settings);
    if (requested && requested->context_length > longest) {
        return error_set_param(err, ERR_INVALID_REQUEST, "context_length",
                               "'context_length' is %lld, but %s can have %lld at most.",
                               (long long)requested->context_length, model->key,
                               (long long)longest);
    }
    if (settings->context_length > longest) settings->context_length = longest;
    return true;
}

/* The model's own, which costs nothing before it is used; but not more than there will ever be
 * memory for. Encoders take memory for it at once. */
static int64_t default_context(const struct model *model, const struct load_settings *settings,
                               nbytes budget) {
    int64_t longest = longest_context(model, settings), length = longest;
    if (model->context_length <= 0 || model->type == MODEL_EMBEDDINGS) length = PLAIN_CONTEXT;
    if (length > longest) length = longest;
    if (budget == 0 || length <= PLAIN_CONTEXT) return length;
    int64_t fits = load_settings_tokens(model, settings, budget) / CONTEXT_STEP * CONTEXT_STEP;
    if (fits < PLAIN_CONTEXT) fits = PLAIN_CONTEXT;
    return length < fits ? length : fits;
}

static void fill_defaults(const struct model *model, nbytes budget,
                          struct load_settings *settings) {
    bool embeds = model->type == MODEL_EMBEDDINGS;
    if (settings->parallel <= 0) settings->parallel = DEFAULT_PARALLEL;
    if (settings->eval_batch_size <= 0 && !embeds) settings->eval_batch_size = DEFAULT_BATCH;
    if (settings->context_length <= 0) {
        settings->context_length = default_context(model, settings, budget);
    }
    if (settings->eval_batch_size <=
        0) { /* encoders see a whole input in one batch or not at all */
        bool whole = settings->context_length > DEFAULT_BATCH;
        settings->eval_batch_size = whole ? settings->context_length : DEFAULT_BATCH;
    }
    char *const types[] = { settings->kv_type_k, settings->kv_type_v };
    for (size_t i = 0; i < 2; i++) {
        if (!types[i][0]) snprintf(types[i], KV_TYPE_SIZE, "%s", kv_types[0]);
    }
    if (!settings->repack[0]) snprintf(settings->repack, REPACK_SIZE, "background");
}

static bool is_float(const char *kv_type) {
    return strchr(kv_type, 'f') != NULL; /* f16, bf16, f32 */
}

bool load_settings_resolve(const struct model *model, const struct load_layers *layers,
                           struct load_settings *ret_effective, struct error *err) {
    struct load_settings settings = LOAD_SETTINGS_UNSET;
    const struct load_settings *order[] = { layers->for_all, layers->for_model,
                                            layers->requested };
    for (size_t i = 0; i < 3; i++) {
        if (order[i]) load_settings_merge(&settings, order[i]);
    }
    if (!fit_context(model, layers->requested, &settings, err)) return false;
    fill_defaults(model, layers->budget, &settings);
    if (settings.flash_attention == 0 && !is_float(settings.kv_type_v)) {
        return error_set_param(err, ERR_INVALID_REQUEST, "kv_type_v",
                               "'kv_type_v' %s needs flash attention, which is switched off.",
                               settings.kv_type_v);
    }
    *ret_effective = settings;
    return true;
}

/* FNV-1a, 64 bits. */
static uint64_t hash_add(uint64_t hash, const void *bytes, size_t len) {
    const unsigned char *at = bytes;
    for (size_t i = 0; i < len; i++) hash = (hash ^ at[i]) * UINT64_C(1099511628211);
    return hash;
}

uint64_t load_settings_hash(const struct load_settings *effective) {
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < ROW_COUNT; i++) {
        const char *member = (const char *)effective + rows[i].offset;
        bool word = rows[i].kind == KIND_KV_TYPE || rows[i].kind == KIND_REPACK;
        size_t len = word ? strnlen(member, row_size(&rows[i]) - 1) + 1 : row_size(&rows[i]);
        hash = hash_add(hash, member, len);
    }
    hash = hash_add(hash, &effective->chat_template, sizeof effective->chat_template);
    hash = hash_add(hash, &effective->reasoning_ending, sizeof effective->reasoning_ending);
    return hash;
}
