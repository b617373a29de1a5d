/* SPDX-License-Identifier: MIT */
/*
 * load_settings.h - how a model is to be loaded: one struct and one table of its fields, for
 * the APIs, the settings file, the daemon and the worker alike.
 *
 * An unset value leaves the choice to the layers below, in the effective settings to the
 * engine. Pure.
 */
#ifndef DOZE_LOAD_LOAD_SETTINGS_H
#define DOZE_LOAD_LOAD_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <yyjson.h>

#include "base/error.h"
#include "load/load_adapters.h"

/* Type of one value in the KV cache. */
enum kv_type {
    KV_TYPE_UNSET,
    KV_TYPE_F16,
    KV_TYPE_BF16,
    KV_TYPE_F32,
    KV_TYPE_Q8_0,
    KV_TYPE_Q5_1,
    KV_TYPE_Q5_0,
    KV_TYPE_Q4_1,
    KV_TYPE_Q4_0,
    KV_TYPE_IQ4_NL,
};
enum { KV_TYPE_COUNT = KV_TYPE_IQ4_NL + 1 };

const char *kv_type_name(enum kv_type type); /* "f16", ...; "" if unset */
bool kv_type_is_float(enum kv_type type);    /* not quantized */

/* When 4-bit weights are copied into the order that the processor computes fastest with. */
enum load_repack {
    LOAD_REPACK_UNSET,
    LOAD_REPACK_BACKGROUND, /* after the first token was served */
    LOAD_REPACK_FIRST,      /* before it */
    LOAD_REPACK_NEVER,
};

/* Where guesses of the next tokens come from, which one batch then judges together. */
enum load_speculation {
    LOAD_SPECULATION_UNSET,
    LOAD_SPECULATION_OFF,
    LOAD_SPECULATION_LOOKUP, /* from the conversation itself */
};

enum { LOAD_MAX_DEVICES = 16 };

/* Bytes of the name of a model, its end included; tokens that a draft model guesses at once. */
enum { LOAD_NAME_SIZE = 512, LOAD_MAX_DRAFT = 16 };

/* The default of draft_tokens with a draft model: llama.cpp's own. */
enum { LOAD_DRAFT_TOKENS = 3 };
#define LOAD_DRAFT_PROBABILITY 0.5

/* How much of a model each device gets, in proportion; all 0: unset. */
struct load_split {
    double shares[LOAD_MAX_DEVICES];
};

struct load_settings {
    int64_t context_length;      /* tokens of one conversation; 0: unset */
    int64_t eval_batch_size;     /* tokens of a prompt in one step at most; 0: unset */
    int64_t parallel;            /* conversations at a time; 0: unset */
    int flash_attention;         /* 0, 1; -1: unset: where it can be used */
    int offload_kv_cache_to_gpu; /* 0, 1; -1: unset: yes */
    int64_t num_experts;         /* per token; 0: unset: the model's */
    int64_t chunk_size;          /* tokens computed at once; 0: unset: what suits the device */
    int64_t threads;             /* 0: unset: by cores and busy workers */
    int64_t gpu_layers;          /* -1: all; -2: unset */
    double gpu;                  /* share of the layers, 0 to 1; -1: unset. In layers only */
    int64_t main_gpu;            /* the only device that is used; -1: unset: all */
    int64_t num_cpu_experts;     /* layers whose experts stay on the CPU; -1: unset: none */
    struct load_split tensor_split;
    enum kv_type kv_type_k, kv_type_v;
    double rope_frequency_base, rope_frequency_scale; /* 0: unset: the model's */
    enum load_repack repack;
    enum load_speculation speculation;
    char draft_model[LOAD_NAME_SIZE]; /* that guesses tokens, filled up with 0; "": unset */
    int64_t draft_tokens;             /* at once; 0: unset */
    double draft_min_probability;     /* of a token that it guesses; -1: unset */
    int mmap, mlock;                  /* 0, 1; -1: unset: on, off */
    int reproducible;                 /* 0, 1; -1: unset: no */
    double prepare_seconds;           /* for what comes before an answer; 0: unset */
    int64_t seed; /* of requests that bring none; -1: unset: a new one for each */
    struct load_adapters adapters; /* set but none: without those of the layers below */
    /* Not in a settings file or PATCH. Borrowed; equal if the same text. NULL: unset. */
    const char *chat_template;    /* Jinja, instead of the model's */
    const char *reasoning_ending; /* said where a budget of reasoning is used up */
};

#define LOAD_SETTINGS_UNSET                                                                    \
    {                                                                                          \
        .flash_attention = -1, .offload_kv_cache_to_gpu = -1, .gpu_layers = -2, .gpu = -1,     \
        .main_gpu = -1, .num_cpu_experts = -1, .mmap = -1, .mlock = -1, .reproducible = -1,    \
        .draft_min_probability = -1, .seed = -1, .adapters = LOAD_ADAPTERS_UNSET               \
    }

/* Bounds that others need: context_length; eval_batch_size, chunk_size; gpu_layers; parallel.
 */
enum {
    LOAD_MIN_CONTEXT = 16, /* fewer tokens hold no conversation */
    LOAD_MAX_CONTEXT = 1 << 24,
    LOAD_MAX_BATCH = 1 << 16,
    LOAD_MAX_LAYERS = 1 << 16,
    LOAD_MAX_PARALLEL = 64,
};

/* prepare_seconds, or its default. */
double load_settings_prepare_seconds(const struct load_settings *settings);

/* A field of struct load_settings by its name in JSON; opaque. */
struct load_field;
const struct load_field *load_field_find(const char *name); /* NULL if there is none */
/* The fields one after the other, for tests and listings; NULL past the last. */
const struct load_field *load_field_at(size_t index);
const char *load_field_name(const struct load_field *field);
/* Bounds of a number; 0 and 0 for other fields. */
void load_field_range(const struct load_field *field, double *ret_min, double *ret_max);
bool load_field_is_set(const struct load_field *field, const struct load_settings *settings);

/* The value as JSON; borrows a text and copies a name. Of an unset field: the number that marks
 * it, false, "", or NULL for a text. */
yyjson_mut_val *load_field_value(const struct load_field *field,
                                 const struct load_settings *settings, yyjson_mut_doc *doc);

/* Set a number or a flag. A number above the field's maximum becomes the maximum; one below the
 * minimum sets nothing. */
void load_field_set_number(const struct load_field *field, struct load_settings *settings,
                           double number);
/* Set a field of words ("kv_type_k", "repack"); false if it is none of them, or NULL. */
bool load_field_set_word(const struct load_field *field, struct load_settings *settings,
                         const char *word);
/* Set the name of a model ("draft_model"); false if it is too long. "" unsets it. */
bool load_field_set_name(const struct load_field *field, struct load_settings *settings,
                         const char *name);

/* Change a layer: the named values only; null unsets one. Paths of adapters are borrowed from
 * the patch. ERR_INVALID_REQUEST with the name of the field: it is unknown, or its value is of
 * a wrong type or outside the bounds; nothing is changed then. */
bool load_settings_patch(struct load_settings *layer, yyjson_val *patch, struct error *err)
    __attribute__((warn_unused_result));

/* Read the fields from an object that may have others; texts only if `texts`. What is absent
 * or null stays as it is. Strings are borrowed from the document. */
bool load_settings_read(yyjson_val *obj, bool texts, struct load_settings *settings,
                        struct error *err) __attribute__((warn_unused_result));

/* The set values as an object of `doc`, without texts: what load_settings_patch reads. */
yyjson_mut_val *load_settings_format(const struct load_settings *settings, yyjson_mut_doc *doc);
/* Add the same to an object, texts included: what load_settings_read reads. Borrows the
 * texts. */
void load_settings_add(const struct load_settings *settings, yyjson_mut_doc *doc,
                       yyjson_mut_val *obj);
/* Add the fields that LM Studio's REST API shows of an instance, unset flags as `false`; and
 * the adapters, if there are any. */
void load_settings_add_shown(const struct load_settings *settings, yyjson_mut_doc *doc,
                             yyjson_mut_val *obj);

/* Copy what is set in `over` over the settings. */
void load_settings_merge(struct load_settings *settings, const struct load_settings *over);

/* Equal hashes: an instance loaded with one would do for the other. */
uint64_t load_settings_hash(const struct load_settings *effective);
/* Equal hashes: the saved state of a sequence means the same under both. */
uint64_t load_settings_state_hash(const struct load_settings *effective);

#endif
