/* SPDX-License-Identifier: MIT */
/* config.c - of several layers or fields with a key the last one counts. Unknown keys are
 * ignored: clients of every version send some. */
#include "api/lmstudio_ws/config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "api/lmstudio_ws/info.h"
#include "api/lmstudio_ws/template.h"
#include "base/json.h"

static yyjson_val *find_last(yyjson_val *fields, const char *key, yyjson_val *otherwise) {
    size_t i, max;
    yyjson_val *field;
    yyjson_arr_foreach(fields, i, max, field) {
        if (yyjson_equals_str(yyjson_obj_get(field, "key"), key)) {
            otherwise = yyjson_obj_get(field, "value");
        }
    }
    return otherwise;
}

yyjson_val *lmws_config_find(yyjson_val *stack, const char *key) {
    size_t i, max;
    yyjson_val *layer, *value = NULL;
    yyjson_arr_foreach(yyjson_obj_get(stack, "layers"), i, max, layer) {
        yyjson_val *fields = yyjson_obj_get(yyjson_obj_get(layer, "config"), "fields");
        value = find_last(fields, key, value);
    }
    return value;
}

bool lmws_options_fit(yyjson_val *options, struct error *err) {
    return json_values(options) <= LMWS_CONFIG_VALUES_MAX ||
           error_set(
               err, ERR_TOO_LARGE,
               "The configuration has more than %d values, those of its tools and schemas "
               "included; send fewer.",
               LMWS_CONFIG_VALUES_MAX);
}

bool lmws_config_fits(yyjson_val *stack, struct error *err) {
    yyjson_val *layers = yyjson_obj_get(stack, "layers"), *layer;
    size_t i, max, fields = yyjson_arr_size(layers);
    yyjson_arr_foreach(layers, i, max, layer) {
        fields += yyjson_arr_size(yyjson_obj_get(yyjson_obj_get(layer, "config"), "fields"));
    }
    if (fields > LMWS_CONFIG_FIELDS_MAX)
        return error_set(err, ERR_TOO_LARGE,
                         "The configuration has more than %d layers and fields; send fewer.",
                         LMWS_CONFIG_FIELDS_MAX);
    return lmws_options_fit(stack, err);
}

bool lmws_checkbox_read(yyjson_val *value, bool *ret_checked, double *ret_number) {
    yyjson_val *checked = yyjson_obj_get(value, "checked");
    yyjson_val *number = yyjson_obj_get(value, "value");
    if (!yyjson_is_bool(checked) || !yyjson_is_num(number)) return false;
    *ret_checked = yyjson_get_bool(checked);
    *ret_number = yyjson_get_num(number);
    return true;
}

yyjson_mut_val *lmws_config_new(yyjson_mut_doc *doc, yyjson_mut_val **ret_fields) {
    yyjson_mut_val *config = yyjson_mut_obj(doc);
    *ret_fields = yyjson_mut_obj_add_arr(doc, config, "fields");
    return config;
}

void lmws_config_add(yyjson_mut_doc *doc, yyjson_mut_val *fields, const char *key,
                     yyjson_mut_val *value) {
    yyjson_mut_val *field = yyjson_mut_arr_add_obj(doc, fields);
    yyjson_mut_obj_add_strcpy(doc, field, "key", key);
    yyjson_mut_obj_add_val(doc, field, "value", value);
}

/* ---- load settings ---- */

/* How the value of a key looks. */
enum form {
    FORM_NUMBER,   /* a whole number */
    FORM_OPTIONAL, /* the same; left out while unset */
    FORM_FLAG,
    FORM_BOX,      /* {"checked","value":number} */
    FORM_LAYERS,   /* "max", "off", or the share of the layers that goes to the device */
    FORM_EXPERTS,  /* the same, of those whose experts stay on the CPU */
    FORM_CACHE,    /* {"checked","value":a word} */
    FORM_PYTHON,   /* the same, as the SDK for Python calls it; never shown */
    FORM_FP16,     /* of both caches: false means f32, unless a type is named */
    FORM_ENDING,   /* a text */
    FORM_NAME,     /* a text; left out while unset */
    FORM_TEMPLATE, /* {"type":"jinja",...} */
    FORM_FALSE,    /* a constant: clients cannot set it */
    FORM_TRUE,
};

struct load_key {
    const char *name; /* after "llm.load." or "embedding.load." */
    enum form form;
    const char *field; /* of struct load_settings */
    bool embedding;    /* models for embeddings have it, too */
};

/* In the order of an answer. Of two keys for one field the later wins. */
static const struct load_key load_keys[] = {
    { "contextLength", FORM_NUMBER, "context_length", true },
    { "llama.evalBatchSize", FORM_NUMBER, "eval_batch_size", true },
    { "llama.acceleration.offloadRatio", FORM_LAYERS, "gpu_layers", true },
    { "llama.keepModelInMemory", FORM_FLAG, "mlock", true },
    { "llama.tryMmap", FORM_FLAG, "mmap", true },
    { "llama.ropeFrequencyBase", FORM_BOX, "rope_frequency_base", true },
    { "llama.ropeFrequencyScale", FORM_BOX, "rope_frequency_scale", true },
    { "seed", FORM_BOX, "seed", true },
    { "llama.autoFit", FORM_FALSE, NULL, false },
    { "numParallelSessions", FORM_NUMBER, "parallel", false },
    { "numExperts", FORM_NUMBER, "num_experts", false },
    { "llama.flashAttention", FORM_FLAG, "flash_attention", false },
    { "numCpuExpertLayersRatio", FORM_EXPERTS, "num_cpu_experts", false },
    { "offloadKVCacheToGpu", FORM_FLAG, "offload_kv_cache_to_gpu", false },
    { "llama.llamaKCacheQuantizationType", FORM_PYTHON, "kv_type_k", false },
    { "llama.kCacheQuantizationType", FORM_CACHE, "kv_type_k", false },
    { "llama.llamaVCacheQuantizationType", FORM_PYTHON, "kv_type_v", false },
    { "llama.vCacheQuantizationType", FORM_CACHE, "kv_type_v", false },
    { "llama.useFp16ForKVCache", FORM_FP16, NULL, false },
    { "useUnifiedKvCache", FORM_TRUE, NULL, false },
    { "llama.physicalBatchSize", FORM_OPTIONAL, "chunk_size", false },
    { "llama.cpuThreadPoolSize", FORM_OPTIONAL, "threads", false },
    { "llama.reasoningBudgetMessage", FORM_ENDING, "reasoning_ending", false },
    { "promptTemplate", FORM_TEMPLATE, "chat_template", false },
    { "llama.speculativeDecoding.draftModel", FORM_NAME, "draft_model", false },
    { "llama.speculativeDecoding.draftMaxTokens", FORM_OPTIONAL, "draft_tokens", false },
    { "llama.speculativeDecoding.draftMinContinueProbability", FORM_OPTIONAL,
      "draft_min_probability", false },
};
enum { LOAD_KEY_COUNT = sizeof load_keys / sizeof load_keys[0] };

/* The key's whole name; false if such a model does not have it. */
static bool key_name(const struct load_key *key, const struct model_view *model,
                     char ret_name[96]) {
    if (model->type == MODEL_EMBEDDINGS && !key->embedding) return false;
    snprintf(ret_name, 96, "%s.load.%s", lmws_model_domain(model), key->name);
    return true;
}

/* "max", "off" or a number, as a share; -1 for anything else. */
static double share_of(yyjson_val *value) {
    if (yyjson_equals_str(value, "max")) return 1;
    if (yyjson_equals_str(value, "off")) return 0;
    double share = yyjson_is_num(value) ? yyjson_get_num(value) : -1;
    return share >= 0 && share <= 1 ? share : -1;
}

static void read_layers(yyjson_val *value, const struct model_view *model,
                        const struct load_field *field, struct load_settings *s) {
    double share = share_of(value);
    if (share < 0) return;
    load_field_set_number(field, s, share == 1 ? -1 : round(share * (double)model->layers));
}

static void read_fp16(yyjson_val *value, struct load_settings *s) {
    if (!yyjson_is_false(value)) return;
    if (s->kv_type_k == KV_TYPE_UNSET) s->kv_type_k = KV_TYPE_F32;
    if (s->kv_type_v == KV_TYPE_UNSET) s->kv_type_v = KV_TYPE_F32;
}

static void read_box(yyjson_val *value, const struct load_field *field,
                     struct load_settings *s) {
    bool checked;
    double number;
    if (lmws_checkbox_read(value, &checked, &number) && checked)
        load_field_set_number(field, s, number);
}

static void read_word_box(yyjson_val *value, const struct load_field *field,
                          struct load_settings *s) {
    if (yyjson_get_bool(yyjson_obj_get(value, "checked")))
        (void)load_field_set_word(field, s, json_find_str(value, "value"));
}

/* A value of another form sets nothing. */
static void read_key(const struct load_key *key, yyjson_val *value,
                     const struct model_view *model, struct load_settings *s) {
    const struct load_field *field = key->field ? load_field_find(key->field) : NULL;
    switch (key->form) {
    case FORM_NUMBER:
    case FORM_OPTIONAL:
        if (yyjson_is_num(value)) load_field_set_number(field, s, yyjson_get_num(value));
        break;
    case FORM_FLAG:
        if (yyjson_is_bool(value)) load_field_set_number(field, s, yyjson_get_bool(value));
        break;
    case FORM_BOX:
        read_box(value, field, s);
        break;
    case FORM_LAYERS:
        read_layers(value, model, field, s);
        break;
    case FORM_EXPERTS:
        load_field_set_number(field, s, round(share_of(value) * (double)model->layers));
        break;
    case FORM_CACHE:
    case FORM_PYTHON:
        read_word_box(value, field, s);
        break;
    case FORM_FP16:
        read_fp16(value, s);
        break;
    case FORM_ENDING:
        s->reasoning_ending = yyjson_get_str(value);
        break;
    case FORM_NAME:
        if (yyjson_is_str(value)) (void)load_field_set_name(field, s, yyjson_get_str(value));
        break;
    case FORM_TEMPLATE:
        s->chat_template = lmws_template_jinja(value);
        break;
    case FORM_FALSE:
    case FORM_TRUE:
        break;
    }
}

void lmws_load_config_read(yyjson_val *stack, const struct model_view *model,
                           struct load_settings *s) {
    char name[96];
    for (size_t i = 0; i < LOAD_KEY_COUNT; i++) {
        if (!key_name(&load_keys[i], model, name)) continue;
        yyjson_val *value = lmws_config_find(stack, name);
        if (value) read_key(&load_keys[i], value, model, s);
    }
}

static yyjson_mut_val *checkbox(yyjson_mut_doc *doc, bool checked, yyjson_mut_val *value) {
    yyjson_mut_val *box = yyjson_mut_obj(doc);
    yyjson_mut_obj_add_bool(doc, box, "checked", checked);
    yyjson_mut_obj_add_val(doc, box, "value", value);
    return box;
}

static yyjson_mut_val *ratio(yyjson_mut_doc *doc, const struct model_view *model,
                             int64_t layers) {
    if (layers == 0) return yyjson_mut_str(doc, "off");
    if (layers < 0 || layers >= model->layers) return yyjson_mut_str(doc, "max");
    return yyjson_mut_real(doc, (double)layers / (double)model->layers);
}

/* The clients have no word for bf16. */
static yyjson_mut_val *cache_box(yyjson_mut_doc *doc, yyjson_mut_val *type) {
    const char *word = yyjson_mut_get_str(type), *f16 = kv_type_name(KV_TYPE_F16);
    bool plain = !*word || strcmp(word, f16) == 0 ||
                 strcmp(word, kv_type_name(KV_TYPE_BF16)) == 0;
    return checkbox(doc, !plain, plain ? yyjson_mut_str(doc, f16) : type);
}

static yyjson_mut_val *template_value(yyjson_mut_doc *doc, const char *jinja) {
    if (!jinja) return NULL;
    yyjson_mut_val *value = yyjson_mut_obj(doc);
    yyjson_mut_obj_add_str(doc, value, "type", "jinja");
    yyjson_mut_val *inner = yyjson_mut_obj_add_obj(doc, value, "jinjaPromptTemplate");
    yyjson_mut_obj_add_str(doc, inner, "template", jinja);
    return value;
}

/* NULL: the key is left out. */
static yyjson_mut_val *key_value(const struct load_key *key, yyjson_mut_doc *doc,
                                 const struct model_view *model,
                                 const struct load_settings *s) {
    const struct load_field *field = key->field ? load_field_find(key->field) : NULL;
    switch (key->form) {
    case FORM_NUMBER:
    case FORM_FLAG:
        return load_field_value(field, s, doc);
    case FORM_OPTIONAL:
    case FORM_NAME:
        return load_field_is_set(field, s) ? load_field_value(field, s, doc) : NULL;
    case FORM_BOX:
        return checkbox(doc, load_field_is_set(field, s), load_field_value(field, s, doc));
    case FORM_LAYERS:
        return ratio(doc, model, s->gpu_layers);
    case FORM_EXPERTS:
        return ratio(doc, model, s->num_cpu_experts > 0 ? s->num_cpu_experts : 0);
    case FORM_CACHE:
        return cache_box(doc, load_field_value(field, s, doc));
    case FORM_PYTHON:
        return NULL;
    case FORM_FP16:
        return yyjson_mut_bool(doc, s->kv_type_k != KV_TYPE_F32 && s->kv_type_v != KV_TYPE_F32);
    case FORM_ENDING:
        return yyjson_mut_str(doc, s->reasoning_ending ? s->reasoning_ending : "");
    case FORM_TEMPLATE:
        return template_value(doc, s->chat_template);
    case FORM_FALSE:
    case FORM_TRUE:
        return yyjson_mut_bool(doc, key->form == FORM_TRUE);
    }
    return NULL;
}

yyjson_mut_val *lmws_load_config_format(yyjson_mut_doc *doc, const struct model_view *model,
                                        const struct instance_view *view) {
    yyjson_mut_val *fields, *config = lmws_config_new(doc, &fields);
    struct load_settings s = LOAD_SETTINGS_UNSET;
    s.mmap = 1; /* what these clients take for unset, where it is not 0 or false */
    s.eval_batch_size = 1;
    load_settings_merge(&s, view->settings);
    char name[96];
    for (size_t i = 0; i < LOAD_KEY_COUNT; i++) {
        yyjson_mut_val *value = key_value(&load_keys[i], doc, model, &s);
        if (value && key_name(&load_keys[i], model, name))
            lmws_config_add(doc, fields, name, value);
    }
    return config;
}
