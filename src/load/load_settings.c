/* SPDX-License-Identifier: MIT */
#include "load/load_settings.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/words.h"

/* int64_t, int of 0 and 1, double, an enum with words (0: unset), const char *. */
enum kind {
    KIND_NUMBER,
    KIND_FLAG,
    KIND_REAL,
    KIND_KV_TYPE,
    KIND_REPACK,
    KIND_SPECULATION,
    KIND_TEXT,
    KIND_SHARE, /* double: "off" is 0, "max" is 1 */
    KIND_SPLIT,
    KIND_ADAPTERS,
    KIND_NAME, /* char[LOAD_NAME_SIZE] */
};

struct load_field {
    const char *name;
    enum kind kind;
    bool shown; /* in LM Studio's REST config; KIND_ADAPTERS: if there are any */
    bool state; /* changes what the saved state of a sequence means */
    size_t offset;
    double min, max; /* of the numbers */
};

#define AT(member) offsetof(struct load_settings, member)

static const struct load_field fields[] = {
    { "context_length", KIND_NUMBER, true, false, AT(context_length), LOAD_MIN_CONTEXT,
      LOAD_MAX_CONTEXT },
    { "eval_batch_size", KIND_NUMBER, true, false, AT(eval_batch_size), 1, LOAD_MAX_BATCH },
    { "parallel", KIND_NUMBER, true, false, AT(parallel), 1, LOAD_MAX_PARALLEL },
    { "flash_attention", KIND_FLAG, true, false, AT(flash_attention), 0, 1 },
    { "offload_kv_cache_to_gpu", KIND_FLAG, true, false, AT(offload_kv_cache_to_gpu), 0, 1 },
    { "num_experts", KIND_NUMBER, false, true, AT(num_experts), 1, 4096 },
    { "chunk_size", KIND_NUMBER, false, false, AT(chunk_size), 1, LOAD_MAX_BATCH },
    { "threads", KIND_NUMBER, false, false, AT(threads), 1, 1024 },
    { "gpu_layers", KIND_NUMBER, false, false, AT(gpu_layers), -1, LOAD_MAX_LAYERS },
    { "gpu", KIND_SHARE, false, false, AT(gpu), 0, 1 },
    { "main_gpu", KIND_NUMBER, false, false, AT(main_gpu), 0, LOAD_MAX_DEVICES - 1 },
    { "num_cpu_experts", KIND_NUMBER, false, false, AT(num_cpu_experts), 0, LOAD_MAX_LAYERS },
    { "tensor_split", KIND_SPLIT, false, false, AT(tensor_split), 0, 0 },
    { "kv_type_k", KIND_KV_TYPE, false, true, AT(kv_type_k), 0, 0 },
    { "kv_type_v", KIND_KV_TYPE, false, true, AT(kv_type_v), 0, 0 },
    { "rope_frequency_base", KIND_REAL, false, true, AT(rope_frequency_base), 1, 1e12 },
    { "rope_frequency_scale", KIND_REAL, false, true, AT(rope_frequency_scale), 1e-6, 1 },
    { "repack", KIND_REPACK, false, false, AT(repack), 0, 0 },
    { "speculation", KIND_SPECULATION, false, false, AT(speculation), 0, 0 },
    { "draft_model", KIND_NAME, false, false, AT(draft_model), 0, 0 },
    { "draft_tokens", KIND_NUMBER, false, false, AT(draft_tokens), 1, LOAD_MAX_DRAFT },
    { "draft_min_probability", KIND_REAL, false, false, AT(draft_min_probability), 0, 1 },
    { "mmap", KIND_FLAG, false, false, AT(mmap), 0, 1 },
    { "mlock", KIND_FLAG, false, false, AT(mlock), 0, 1 },
    { "reproducible", KIND_FLAG, false, false, AT(reproducible), 0, 1 },
    { "prepare_seconds", KIND_REAL, false, false, AT(prepare_seconds), 0.1, 600 },
    { "seed", KIND_NUMBER, false, false, AT(seed), 0, UINT32_MAX },
    { "adapters", KIND_ADAPTERS, true, true, AT(adapters), 0, 0 },
    { "chat_template", KIND_TEXT, false, false, AT(chat_template), 0, 0 },
    { "reasoning_ending", KIND_TEXT, false, false, AT(reasoning_ending), 0, 0 },
};
enum { FIELD_COUNT = sizeof fields / sizeof fields[0] };

static const struct load_settings unset = LOAD_SETTINGS_UNSET;

/* ---- words ---- */

static const char *const kv_type_words[] = {
    [KV_TYPE_UNSET] = "",        [KV_TYPE_F16] = "f16",   [KV_TYPE_BF16] = "bf16",
    [KV_TYPE_F32] = "f32",       [KV_TYPE_Q8_0] = "q8_0", [KV_TYPE_Q5_1] = "q5_1",
    [KV_TYPE_Q5_0] = "q5_0",     [KV_TYPE_Q4_1] = "q4_1", [KV_TYPE_Q4_0] = "q4_0",
    [KV_TYPE_IQ4_NL] = "iq4_nl",
};
_Static_assert(sizeof kv_type_words / sizeof *kv_type_words == KV_TYPE_COUNT, "a word each");

static const char *const repack_words[] = {
    [LOAD_REPACK_UNSET] = "",
    [LOAD_REPACK_BACKGROUND] = "background",
    [LOAD_REPACK_FIRST] = "first",
    [LOAD_REPACK_NEVER] = "never",
};

static const char *const speculation_words[] = {
    [LOAD_SPECULATION_UNSET] = "",
    [LOAD_SPECULATION_OFF] = "off",
    [LOAD_SPECULATION_LOOKUP] = "lookup",
};

/* By kind. The enums are as wide as unsigned. */
static const struct word_table {
    const char *const *words;
    size_t count;
} word_tables[] = {
    [KIND_KV_TYPE] = { kv_type_words, KV_TYPE_COUNT },
    [KIND_REPACK] = { repack_words, sizeof repack_words / sizeof *repack_words },
    [KIND_SPECULATION] = { speculation_words,
                           sizeof speculation_words / sizeof *speculation_words },
};

const char *kv_type_name(enum kv_type type) {
    return kv_type_words[type];
}

bool kv_type_is_float(enum kv_type type) {
    return type <= KV_TYPE_F32;
}

/* ---- members ---- */

static const void *member(const struct load_settings *settings, const struct load_field *f) {
    return (const char *)settings + f->offset;
}

static size_t member_size(const struct load_field *f) {
    static const size_t sizes[] = {
        [KIND_NUMBER] = sizeof(int64_t),
        [KIND_FLAG] = sizeof(int),
        [KIND_REAL] = sizeof(double),
        [KIND_KV_TYPE] = sizeof(unsigned),
        [KIND_REPACK] = sizeof(unsigned),
        [KIND_SPECULATION] = sizeof(unsigned),
        [KIND_TEXT] = sizeof(const char *),
        [KIND_SHARE] = sizeof(double),
        [KIND_SPLIT] = sizeof(struct load_split),
        [KIND_ADAPTERS] = sizeof(struct load_adapters),
        [KIND_NAME] = LOAD_NAME_SIZE,
    };
    return sizes[f->kind];
}

static void member_set(struct load_settings *settings, const struct load_field *f,
                       const void *value) {
    memcpy((char *)settings + f->offset, value, member_size(f));
}

bool load_field_is_set(const struct load_field *f, const struct load_settings *settings) {
    return memcmp(member(settings, f), member(&unset, f), member_size(f)) != 0;
}

const struct load_field *load_field_at(size_t index) {
    return index < FIELD_COUNT ? &fields[index] : NULL;
}

const struct load_field *load_field_find(const char *name) {
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (strcmp(fields[i].name, name) == 0) return &fields[i];
    }
    return NULL;
}

const char *load_field_name(const struct load_field *f) {
    return f->name;
}

void load_field_range(const struct load_field *f, double *ret_min, double *ret_max) {
    *ret_min = f->min;
    *ret_max = f->max;
}

void load_field_set_number(const struct load_field *f, struct load_settings *settings,
                           double number) {
    if (!(number >= f->min)) return;
    double bounded = fmin(number, f->max);
    if (f->kind == KIND_FLAG)
        member_set(settings, f, &(int){ bounded != 0 });
    else if (f->kind == KIND_REAL || f->kind == KIND_SHARE)
        member_set(settings, f, &bounded);
    else
        member_set(settings, f, &(int64_t){ (int64_t)bounded });
}

bool load_field_set_word(const struct load_field *f, struct load_settings *settings,
                         const char *word) {
    const struct word_table *table = &word_tables[f->kind];
    int found = words_find(table->words, table->count, word);
    if (found <= 0) return false;
    member_set(settings, f, &(unsigned){ (unsigned)found });
    return true;
}

bool load_field_set_name(const struct load_field *f, struct load_settings *settings,
                         const char *name) {
    char value[LOAD_NAME_SIZE] = "";
    if (strlen(name) >= sizeof value) return false;
    for (size_t i = 0; name[i]; i++) value[i] = name[i];
    member_set(settings, f, value);
    return true;
}

/* ---- reading ---- */

static bool read_number(yyjson_val *obj, const struct load_field *f,
                        struct load_settings *settings, struct error *err) {
    int64_t value = 0;
    if (!json_read_int(obj, f->name, (int64_t)f->min, (int64_t)f->max, &value, err))
        return false;
    member_set(settings, f, &value);
    return true;
}

static bool read_flag(yyjson_val *obj, const struct load_field *f,
                      struct load_settings *settings, struct error *err) {
    bool value = false;
    if (!json_read_bool(obj, f->name, &value, err)) return false;
    member_set(settings, f, &(int){ value });
    return true;
}

static bool read_real(yyjson_val *obj, const struct load_field *f,
                      struct load_settings *settings, struct error *err) {
    double value = 0;
    if (!json_read_double(obj, f->name, f->min, f->max, &value, err)) return false;
    member_set(settings, f, &value);
    return true;
}

static bool read_word(yyjson_val *obj, const struct load_field *f,
                      struct load_settings *settings, struct error *err) {
    const char *word = NULL;
    if (!json_read_str(obj, f->name, &word, err)) return false;
    return load_field_set_word(f, settings, word) ||
           words_refuse(word_tables[f->kind].words, word_tables[f->kind].count, f->name, err);
}

static bool read_text(yyjson_val *obj, const struct load_field *f,
                      struct load_settings *settings, struct error *err) {
    const char *text = NULL;
    if (!json_read_str(obj, f->name, &text, err)) return false;
    member_set(settings, f, &text);
    return true;
}

static bool read_share(yyjson_val *obj, const struct load_field *f,
                       struct load_settings *settings, struct error *err) {
    yyjson_val *json = yyjson_obj_get(obj, f->name);
    double value = yyjson_is_num(json) ? json_number(json) : -1;
    if (yyjson_equals_str(json, "off")) value = 0;
    if (yyjson_equals_str(json, "max")) value = 1;
    if (!(value >= 0 && value <= 1)) {
        return error_set_param(err, ERR_INVALID_REQUEST, f->name,
                               "'%s' must be \"max\", \"off\" or a share from 0 to 1.",
                               f->name);
    }
    member_set(settings, f, &value);
    return true;
}

/* Only their proportion counts. */
#define LARGEST_SHARE 1e6

static bool read_split(yyjson_val *obj, const struct load_field *f,
                       struct load_settings *settings, struct error *err) {
    struct load_split split = { 0 };
    yyjson_val *json = yyjson_obj_get(obj, f->name), *share;
    size_t i, max;
    double sum = 0;
    bool ok = yyjson_is_arr(json) && yyjson_arr_size(json) <= LOAD_MAX_DEVICES;
    yyjson_arr_foreach(json, i, max, share) {
        double value = yyjson_is_num(share) ? json_number(share) : -1;
        ok = ok && value >= 0 && value <= LARGEST_SHARE;
        if (ok) sum += split.shares[i] = value;
    }
    if (!ok || sum == 0) {
        return error_set_param(err, ERR_INVALID_REQUEST, f->name,
                               "'%s' must be a list of up to %d numbers, one for each device, "
                               "such as [3, 1].",
                               f->name, LOAD_MAX_DEVICES);
    }
    member_set(settings, f, &split);
    return true;
}

static bool read_adapters(yyjson_val *obj, const struct load_field *f,
                          struct load_settings *settings, struct error *err) {
    struct load_adapters adapters;
    if (!load_adapters_read(yyjson_obj_get(obj, f->name), f->name, &adapters, err))
        return false;
    member_set(settings, f, &adapters);
    return true;
}

static bool read_name(yyjson_val *obj, const struct load_field *f,
                      struct load_settings *settings, struct error *err) {
    const char *text = NULL;
    if (!json_read_str(obj, f->name, &text, err)) return false;
    return load_field_set_name(f, settings, text) ||
           error_set_param(err, ERR_INVALID_REQUEST, f->name,
                           "'%s' has more than %d characters.", f->name, LOAD_NAME_SIZE - 1);
}

/* null unsets. */
static bool read_field(yyjson_val *obj, const struct load_field *f,
                       struct load_settings *settings, struct error *err) {
    typedef bool reader(yyjson_val *, const struct load_field *, struct load_settings *,
                        struct error *);
    static reader *const readers[] = {
        [KIND_NUMBER] = read_number, [KIND_FLAG] = read_flag,
        [KIND_REAL] = read_real,     [KIND_KV_TYPE] = read_word,
        [KIND_REPACK] = read_word,   [KIND_SPECULATION] = read_word,
        [KIND_TEXT] = read_text,     [KIND_SHARE] = read_share,
        [KIND_SPLIT] = read_split,   [KIND_ADAPTERS] = read_adapters,
        [KIND_NAME] = read_name,
    };
    if (yyjson_is_null(yyjson_obj_get(obj, f->name))) {
        member_set(settings, f, member(&unset, f));
        return true;
    }
    return readers[f->kind](obj, f, settings, err);
}

bool load_settings_patch(struct load_settings *layer, yyjson_val *patch, struct error *err) {
    if (!yyjson_is_obj(patch)) {
        return error_set(err, ERR_INVALID_REQUEST, "Load settings must be an object, not %s.",
                         json_type_phrase(patch));
    }
    struct load_settings changed = *layer;
    yyjson_obj_iter iter = yyjson_obj_iter_with(patch);
    for (yyjson_val *key; (key = yyjson_obj_iter_next(&iter));) {
        const char *name = yyjson_get_str(key);
        const struct load_field *f = load_field_find(name);
        if (!f || f->kind == KIND_TEXT) {
            return error_set_param(err, ERR_INVALID_REQUEST, name,
                                   "There is no load setting '%.64s'.", name);
        }
        if (!read_field(patch, f, &changed, err)) return false;
    }
    *layer = changed;
    return true;
}

bool load_settings_read(yyjson_val *obj, bool texts, struct load_settings *settings,
                        struct error *err) {
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (fields[i].kind == KIND_TEXT && !texts) continue;
        yyjson_val *value = yyjson_obj_get(obj, fields[i].name);
        if (!value || yyjson_is_null(value)) continue;
        if (!read_field(obj, &fields[i], settings, err)) return false;
    }
    return true;
}

/* ---- writing ---- */

static yyjson_mut_val *share_value(double share, yyjson_mut_doc *doc) {
    if (share == 0 || share == 1) return yyjson_mut_str(doc, share == 1 ? "max" : "off");
    return yyjson_mut_real(doc, share);
}

/* Without the devices at the end that get nothing. */
static yyjson_mut_val *split_value(const struct load_split *split, yyjson_mut_doc *doc) {
    yyjson_mut_val *list = yyjson_mut_arr(doc);
    size_t count = LOAD_MAX_DEVICES;
    while (count > 0 && split->shares[count - 1] == 0) count--;
    for (size_t i = 0; i < count; i++) yyjson_mut_arr_add_real(doc, list, split->shares[i]);
    return list;
}

yyjson_mut_val *load_field_value(const struct load_field *f,
                                 const struct load_settings *settings, yyjson_mut_doc *doc) {
    const void *at = member(settings, f);
    switch (f->kind) {
    case KIND_NUMBER:
        return yyjson_mut_sint(doc, *(const int64_t *)at);
    case KIND_FLAG:
        return yyjson_mut_bool(doc, *(const int *)at > 0);
    case KIND_REAL:
        return yyjson_mut_real(doc, *(const double *)at);
    case KIND_KV_TYPE:
    case KIND_REPACK:
    case KIND_SPECULATION:
        return yyjson_mut_str(doc, word_tables[f->kind].words[*(const unsigned *)at]);
    case KIND_TEXT:
        return yyjson_mut_str(doc, *(const char *const *)at);
    case KIND_SHARE:
        return share_value(*(const double *)at, doc);
    case KIND_SPLIT:
        return split_value(at, doc);
    case KIND_ADAPTERS:
        return load_adapters_value(at, doc);
    case KIND_NAME:
        return yyjson_mut_strcpy(doc, at);
    }
    return NULL;
}

static void add_field(const struct load_settings *settings, const struct load_field *f,
                      yyjson_mut_doc *doc, yyjson_mut_val *obj) {
    yyjson_mut_obj_add(obj, yyjson_mut_str(doc, f->name), load_field_value(f, settings, doc));
}

void load_settings_add(const struct load_settings *settings, yyjson_mut_doc *doc,
                       yyjson_mut_val *obj) {
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (load_field_is_set(&fields[i], settings)) add_field(settings, &fields[i], doc, obj);
    }
}

yyjson_mut_val *load_settings_format(const struct load_settings *settings,
                                     yyjson_mut_doc *doc) {
    struct load_settings without_texts = *settings;
    without_texts.chat_template = without_texts.reasoning_ending = NULL;
    yyjson_mut_val *obj = yyjson_mut_obj(doc);
    load_settings_add(&without_texts, doc, obj);
    return obj;
}

void load_settings_add_shown(const struct load_settings *settings, yyjson_mut_doc *doc,
                             yyjson_mut_val *obj) {
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        bool absent = fields[i].kind == KIND_ADAPTERS && settings->adapters.count <= 0;
        if (fields[i].shown && !absent) add_field(settings, &fields[i], doc, obj);
    }
}

/* ---- the whole ---- */

void load_settings_merge(struct load_settings *settings, const struct load_settings *over) {
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (load_field_is_set(&fields[i], over))
            member_set(settings, &fields[i], member(over, &fields[i]));
    }
}

static uint64_t hash_text(const char *text, uint64_t hash) {
    return hash_add(hash, text ? text : "", text ? strlen(text) + 1 : 0);
}

static uint64_t hash_fields(const struct load_settings *effective, bool all) {
    uint64_t hash = HASH_BEGIN;
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (!all && !fields[i].state) continue;
        const void *at = member(effective, &fields[i]);
        if (fields[i].kind == KIND_TEXT)
            hash = hash_text(*(const char *const *)at, hash);
        else if (fields[i].kind == KIND_ADAPTERS)
            hash = load_adapters_hash(at, hash);
        else
            hash = hash_add(hash, at, member_size(&fields[i]));
        hash = hash_add(hash, &i, 1);
    }
    return hash;
}

uint64_t load_settings_hash(const struct load_settings *effective) {
    return hash_fields(effective, true);
}

uint64_t load_settings_state_hash(const struct load_settings *effective) {
    return hash_fields(effective, false);
}

double load_settings_prepare_seconds(const struct load_settings *settings) {
    return settings->prepare_seconds > 0 ? settings->prepare_seconds : 5;
}
