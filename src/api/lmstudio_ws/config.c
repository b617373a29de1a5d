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
    yyjson_mut_obj_add_str(doc, field, "key", key);
    yyjson_mut_obj_add_val(doc, field, "value", value);
}

/* ---- what a client requests of a load ---- */

/* A number above the field's maximum is clamped, one below the minimum ignored. */
static void read_number(yyjson_val *value, const char *name, struct load_settings *s) {
    const struct load_field *field = load_field_find(name);
    double min, max;
    load_field_range(field, &min, &max);
    if (yyjson_is_num(value) && yyjson_get_num(value) >= min)
        load_field_set_number(field, s, yyjson_get_num(value));
}

static int flag(yyjson_val *value) {
    return yyjson_is_bool(value) ? yyjson_get_bool(value) : -1;
}

static double checked_number(yyjson_val *value, double otherwise) {
    bool checked;
    double n;
    return lmws_checkbox_read(value, &checked, &n) && checked ? n : otherwise;
}

static enum kv_type cache_type(yyjson_val *value, enum kv_type otherwise) {
    bool checked = yyjson_get_bool(yyjson_obj_get(value, "checked"));
    enum kv_type type = kv_type_parse(json_find_str(value, "value"));
    return checked && type != KV_TYPE_UNSET ? type : otherwise;
}

/* "max", "off", or the share of the layers that goes to the device. */
static void read_gpu_layers(yyjson_val *ratio, const struct model_view *model,
                            struct load_settings *s) {
    const char *word = yyjson_get_str(ratio);
    double share = yyjson_is_num(ratio) ? yyjson_get_num(ratio) : -1;
    if (word && strcmp(word, "max") == 0) share = 1;
    if (word && strcmp(word, "off") == 0) share = 0;
    if (!(share >= 0 && share <= 1)) return;
    s->gpu_layers = share == 1 ? -1 : lround(share * (double)model->layers);
}

/* The SDK for Python has a name of its own for this key. */
static enum kv_type cache_type_for(yyjson_val *stack, const char *key, const char *python_key,
                                   enum kv_type otherwise) {
    return cache_type(lmws_config_find(stack, key),
                      cache_type(lmws_config_find(stack, python_key), otherwise));
}

static void read_llm_cache(yyjson_val *stack, struct load_settings *s) {
    bool wide = flag(lmws_config_find(stack, "llm.load.llama.useFp16ForKVCache")) == 0;
    enum kv_type plain = wide ? KV_TYPE_F32 : KV_TYPE_UNSET;
    s->kv_type_k = cache_type_for(stack, "llm.load.llama.kCacheQuantizationType",
                                  "llm.load.llama.llamaKCacheQuantizationType", plain);
    s->kv_type_v = cache_type_for(stack, "llm.load.llama.vCacheQuantizationType",
                                  "llm.load.llama.llamaVCacheQuantizationType", plain);
}

/* Both kinds of model have these, below "llm." and "embedding.". */
static void read_common(yyjson_val *stack, const char *domain, const struct model_view *model,
                        struct load_settings *s) {
    char key[96];
#define KEY(rest)                                                                              \
    (snprintf(key, sizeof key, "%s.load." rest, domain), lmws_config_find(stack, key))
    read_number(KEY("contextLength"), "context_length", s);
    read_number(KEY("llama.evalBatchSize"), "eval_batch_size", s);
    read_gpu_layers(KEY("llama.acceleration.offloadRatio"), model, s);
    s->mlock = flag(KEY("llama.keepModelInMemory"));
    s->mmap = flag(KEY("llama.tryMmap"));
    s->rope_frequency_base = checked_number(KEY("llama.ropeFrequencyBase"), 0);
    s->rope_frequency_scale = checked_number(KEY("llama.ropeFrequencyScale"), 0);
    double seed = checked_number(KEY("seed"), -1);
    if (seed >= 0 && seed <= UINT32_MAX) s->seed = (int64_t)seed;
#undef KEY
}

void lmws_load_config_read(yyjson_val *stack, const struct model_view *model,
                           struct load_settings *s) {
    read_common(stack, lmws_model_domain(model), model, s);
    if (model->type == MODEL_EMBEDDINGS) return;
    read_number(lmws_config_find(stack, "llm.load.numParallelSessions"), "parallel", s);
    read_number(lmws_config_find(stack, "llm.load.llama.physicalBatchSize"), "chunk_size", s);
    read_number(lmws_config_find(stack, "llm.load.llama.cpuThreadPoolSize"), "threads", s);
    read_number(lmws_config_find(stack, "llm.load.numExperts"), "num_experts", s);
    s->chat_template = lmws_template_jinja(lmws_config_find(stack, "llm.load.promptTemplate"));
    s->reasoning_ending = yyjson_get_str(
        lmws_config_find(stack, "llm.load.llama.reasoningBudgetMessage"));
    s->flash_attention = flag(lmws_config_find(stack, "llm.load.llama.flashAttention"));
    s->offload_kv_cache_to_gpu = flag(lmws_config_find(stack, "llm.load.offloadKVCacheToGpu"));
    read_llm_cache(stack, s);
}

/* ---- how an instance was loaded ---- */

static yyjson_mut_val *checkbox(yyjson_mut_doc *doc, bool checked, yyjson_mut_val *value) {
    yyjson_mut_val *box = yyjson_mut_obj(doc);
    yyjson_mut_obj_add_bool(doc, box, "checked", checked);
    yyjson_mut_obj_add_val(doc, box, "value", value);
    return box;
}

static yyjson_mut_val *number_box(yyjson_mut_doc *doc, double n) {
    return checkbox(doc, n > 0, yyjson_mut_real(doc, n > 0 ? n : 0));
}

static yyjson_mut_val *ratio(yyjson_mut_doc *doc, const struct model_view *model,
                             int64_t layers) {
    if (layers < 0 || layers >= model->layers)
        return yyjson_mut_str(doc, layers ? "max" : "off");
    if (layers == 0) return yyjson_mut_str(doc, "off");
    return yyjson_mut_real(doc, (double)layers / (double)model->layers);
}

/* The clients have no word for bf16. */
static yyjson_mut_val *cache_box(yyjson_mut_doc *doc, enum kv_type type) {
    bool plain = type == KV_TYPE_UNSET || type == KV_TYPE_F16 || type == KV_TYPE_BF16;
    return checkbox(doc, !plain, yyjson_mut_str(doc, kv_type_name(plain ? KV_TYPE_F16 : type)));
}

static void add_common(yyjson_mut_doc *doc, yyjson_mut_val *fields, const char *domain,
                       const struct model_view *model, const struct load_settings *s) {
    struct {
        const char *rest;
        yyjson_mut_val *value;
    } rows[] = {
        { "contextLength", yyjson_mut_int(doc, s->context_length) },
        { "llama.evalBatchSize",
          yyjson_mut_int(doc, s->eval_batch_size > 0 ? s->eval_batch_size : 1) },
        { "llama.acceleration.offloadRatio", ratio(doc, model, s->gpu_layers) },
        { "llama.keepModelInMemory", yyjson_mut_bool(doc, s->mlock > 0) },
        { "llama.tryMmap", yyjson_mut_bool(doc, s->mmap != 0) },
        { "llama.ropeFrequencyBase", number_box(doc, s->rope_frequency_base) },
        { "llama.ropeFrequencyScale", number_box(doc, s->rope_frequency_scale) },
        { "seed", checkbox(doc, s->seed >= 0, yyjson_mut_int(doc, s->seed)) },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char key[96];
        snprintf(key, sizeof key, "%s.load.%s", domain, rows[i].rest);
        yyjson_mut_val *field = yyjson_mut_arr_add_obj(doc, fields);
        yyjson_mut_obj_add_strcpy(doc, field, "key", key);
        yyjson_mut_obj_add_val(doc, field, "value", rows[i].value);
    }
}

static void add_template(yyjson_mut_doc *doc, yyjson_mut_val *fields, const char *jinja) {
    yyjson_mut_val *value = yyjson_mut_obj(doc);
    yyjson_mut_obj_add_str(doc, value, "type", "jinja");
    yyjson_mut_val *inner = yyjson_mut_obj_add_obj(doc, value, "jinjaPromptTemplate");
    yyjson_mut_obj_add_str(doc, inner, "template", jinja);
    lmws_config_add(doc, fields, "llm.load.promptTemplate", value);
}

static void add_llm(yyjson_mut_doc *doc, yyjson_mut_val *fields,
                    const struct load_settings *s) {
    lmws_config_add(doc, fields, "llm.load.llama.autoFit", yyjson_mut_bool(doc, false));
    lmws_config_add(doc, fields, "llm.load.numParallelSessions",
                    yyjson_mut_int(doc, s->parallel));
    lmws_config_add(doc, fields, "llm.load.numExperts", yyjson_mut_int(doc, s->num_experts));
    lmws_config_add(doc, fields, "llm.load.llama.flashAttention",
                    yyjson_mut_bool(doc, s->flash_attention > 0));
    lmws_config_add(doc, fields, "llm.load.offloadKVCacheToGpu",
                    yyjson_mut_bool(doc, s->offload_kv_cache_to_gpu > 0));
    lmws_config_add(doc, fields, "llm.load.llama.kCacheQuantizationType",
                    cache_box(doc, s->kv_type_k));
    lmws_config_add(doc, fields, "llm.load.llama.vCacheQuantizationType",
                    cache_box(doc, s->kv_type_v));
    lmws_config_add(
        doc, fields, "llm.load.llama.useFp16ForKVCache",
        yyjson_mut_bool(doc, s->kv_type_k != KV_TYPE_F32 && s->kv_type_v != KV_TYPE_F32));
    lmws_config_add(doc, fields, "llm.load.useUnifiedKvCache", yyjson_mut_bool(doc, true));
    if (s->chunk_size > 0) {
        lmws_config_add(doc, fields, "llm.load.llama.physicalBatchSize",
                        yyjson_mut_int(doc, s->chunk_size));
    }
    if (s->threads > 0) {
        lmws_config_add(doc, fields, "llm.load.llama.cpuThreadPoolSize",
                        yyjson_mut_int(doc, s->threads));
    }
    const char *ending = s->reasoning_ending ? s->reasoning_ending : "";
    lmws_config_add(doc, fields, "llm.load.llama.reasoningBudgetMessage",
                    yyjson_mut_str(doc, ending));
    if (s->chat_template) add_template(doc, fields, s->chat_template);
}

yyjson_mut_val *lmws_load_config_format(yyjson_mut_doc *doc, const struct model_view *model,
                                        const struct instance_view *view) {
    yyjson_mut_val *fields, *config = lmws_config_new(doc, &fields);
    add_common(doc, fields, lmws_model_domain(model), model, view->settings);
    if (model->type != MODEL_EMBEDDINGS) add_llm(doc, fields, view->settings);
    return config;
}
