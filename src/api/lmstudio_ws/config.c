/* SPDX-License-Identifier: MIT */
/* config.c - {"layers":[{"layerName","config":{"fields":[{"key","value"}]}}]}: lowest
 * priority first. Unknown keys are ignored, as clients of every version send some. */
#include "api/lmstudio_ws/config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

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

/* ---- what a client demands of a load ---- */

static int64_t whole(yyjson_val *value, int64_t min, int64_t max, int64_t otherwise) {
    if (!yyjson_is_num(value)) return otherwise;
    double n = yyjson_get_num(value);
    if (!(n >= (double)min)) return otherwise;
    return n > (double)max ? max : (int64_t)n;
}

static int flag(yyjson_val *value) {
    return yyjson_is_bool(value) ? yyjson_get_bool(value) : -1;
}

static double checked_number(yyjson_val *value, double otherwise) {
    bool checked;
    double n;
    return lmws_checkbox_read(value, &checked, &n) && checked ? n : otherwise;
}

/* Sizes of key-value cells; the engine knows the same words. */
static const char *cache_type(yyjson_val *value, const char *otherwise) {
    static const char *const words[] = { "f32",  "f16",    "q8_0", "q4_0",
                                         "q4_1", "iq4_nl", "q5_0", "q5_1" };
    const char *word = json_find_str(value, "value");
    if (!word || !yyjson_get_bool(yyjson_obj_get(value, "checked"))) return otherwise;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i], word) == 0) return words[i];
    }
    return otherwise;
}

/* "max", "off", or the share of the layers that goes to the device. */
static int gpu_layers(yyjson_val *ratio, const struct model_view *model) {
    const char *word = yyjson_get_str(ratio);
    if (word && strcmp(word, "max") == 0) return -1;
    if (word && strcmp(word, "off") == 0) return 0;
    if (!yyjson_is_num(ratio)) return -2;
    double share = yyjson_get_num(ratio);
    if (!(share >= 0 && share <= 1)) return -2;
    if (share == 1) return -1;
    return (int)lround(share * (double)model->layers);
}

/* The SDK for Python has another name for the same. */
static const char *cache_type_for(yyjson_val *stack, const char *key, const char *python_key,
                                  const char *otherwise) {
    return cache_type(lmws_config_find(stack, key),
                      cache_type(lmws_config_find(stack, python_key), otherwise));
}

static void read_llm_cache(yyjson_val *stack, struct load_request *r) {
    const char *plain = flag(lmws_config_find(stack, "llm.load.llama.useFp16ForKVCache")) == 0
                            ? "f32"
                            : NULL;
    r->kv_type_k = cache_type_for(stack, "llm.load.llama.kCacheQuantizationType",
                                  "llm.load.llama.llamaKCacheQuantizationType", plain);
    r->kv_type_v = cache_type_for(stack, "llm.load.llama.vCacheQuantizationType",
                                  "llm.load.llama.llamaVCacheQuantizationType", plain);
}

/* Both kinds of model have these, below "llm." and "embedding.". */
static void read_common(yyjson_val *stack, const char *domain, const struct model_view *model,
                        struct load_request *r) {
    char key[96];
#define KEY(rest)                                                                              \
    (snprintf(key, sizeof key, "%s.load." rest, domain), lmws_config_find(stack, key))
    r->context_length = whole(KEY("contextLength"), 1, 1 << 28, 0);
    r->eval_batch_size = whole(KEY("llama.evalBatchSize"), 1, 1 << 16, 0);
    r->gpu_layers = gpu_layers(KEY("llama.acceleration.offloadRatio"), model);
    r->mlock = flag(KEY("llama.keepModelInMemory"));
    r->mmap = flag(KEY("llama.tryMmap"));
    r->rope_frequency_base = checked_number(KEY("llama.ropeFrequencyBase"), 0);
    r->rope_frequency_scale = checked_number(KEY("llama.ropeFrequencyScale"), 0);
    double seed = checked_number(KEY("seed"), -1);
    if (seed >= 0 && seed <= UINT32_MAX) r->seed = (int64_t)seed;
#undef KEY
}

void lmws_load_config_read(yyjson_val *stack, const struct model_view *model,
                           struct load_request *ret_request) {
    bool embedding = model->type == MODEL_EMBEDDINGS;
    read_common(stack, embedding ? "embedding" : "llm", model, ret_request);
    if (embedding) return;
    ret_request->parallel = whole(lmws_config_find(stack, "llm.load.numParallelSessions"), 1,
                                  64, 0);
    ret_request->chunk_size = whole(lmws_config_find(stack, "llm.load.llama.physicalBatchSize"),
                                    1, 1 << 16, 0);
    ret_request->threads = whole(lmws_config_find(stack, "llm.load.llama.cpuThreadPoolSize"), 1,
                                 1024, 0);
    ret_request->chat_template = lmws_template_jinja(
        lmws_config_find(stack, "llm.load.promptTemplate"));
    ret_request->reasoning_ending = yyjson_get_str(
        lmws_config_find(stack, "llm.load.llama.reasoningBudgetMessage"));
    ret_request->num_experts = whole(lmws_config_find(stack, "llm.load.numExperts"), 1, 4096,
                                     0);
    ret_request->flash_attention = flag(
        lmws_config_find(stack, "llm.load.llama.flashAttention"));
    ret_request->offload_kv_cache_to_gpu = flag(
        lmws_config_find(stack, "llm.load.offloadKVCacheToGpu"));
    read_llm_cache(stack, ret_request);
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

static yyjson_mut_val *ratio(yyjson_mut_doc *doc, const struct model_view *model, int layers) {
    if (layers < 0 || layers >= model->layers)
        return yyjson_mut_str(doc, layers ? "max" : "off");
    if (layers == 0) return yyjson_mut_str(doc, "off");
    return yyjson_mut_real(doc, (double)layers / (double)model->layers);
}

/* bf16 is a word that the clients do not have. */
static yyjson_mut_val *cache_box(yyjson_mut_doc *doc, const char *type) {
    bool known = type && *type && strcmp(type, "bf16") != 0;
    bool plain = !known || strcmp(type, "f16") == 0;
    return checkbox(doc, !plain, yyjson_mut_str(doc, known ? type : "f16"));
}

static void add_common(yyjson_mut_doc *doc, yyjson_mut_val *fields, const char *domain,
                       const struct model_view *model, const struct instance_view *view) {
    struct {
        const char *rest;
        yyjson_mut_val *value;
    } rows[] = {
        { "contextLength", yyjson_mut_int(doc, view->context_length) },
        { "llama.evalBatchSize",
          yyjson_mut_int(doc, view->eval_batch_size > 0 ? view->eval_batch_size : 1) },
        { "llama.acceleration.offloadRatio", ratio(doc, model, view->gpu_layers) },
        { "llama.keepModelInMemory", yyjson_mut_bool(doc, view->mlock) },
        { "llama.tryMmap", yyjson_mut_bool(doc, view->mmap) },
        { "llama.ropeFrequencyBase", number_box(doc, view->rope_frequency_base) },
        { "llama.ropeFrequencyScale", number_box(doc, view->rope_frequency_scale) },
        { "seed", checkbox(doc, view->seed >= 0, yyjson_mut_int(doc, view->seed)) },
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

static bool is_f32(const char *type) {
    return type && strcmp(type, "f32") == 0;
}

static void add_llm(yyjson_mut_doc *doc, yyjson_mut_val *fields,
                    const struct instance_view *view) {
    lmws_config_add(doc, fields, "llm.load.llama.autoFit", yyjson_mut_bool(doc, false));
    lmws_config_add(doc, fields, "llm.load.numParallelSessions",
                    yyjson_mut_int(doc, view->parallel));
    lmws_config_add(doc, fields, "llm.load.numExperts", yyjson_mut_int(doc, view->num_experts));
    lmws_config_add(doc, fields, "llm.load.llama.flashAttention",
                    yyjson_mut_bool(doc, view->flash_attention));
    lmws_config_add(doc, fields, "llm.load.offloadKVCacheToGpu",
                    yyjson_mut_bool(doc, view->offload_kv_cache_to_gpu));
    lmws_config_add(doc, fields, "llm.load.llama.kCacheQuantizationType",
                    cache_box(doc, view->kv_type_k));
    lmws_config_add(doc, fields, "llm.load.llama.vCacheQuantizationType",
                    cache_box(doc, view->kv_type_v));
    lmws_config_add(doc, fields, "llm.load.llama.useFp16ForKVCache",
                    yyjson_mut_bool(doc, !is_f32(view->kv_type_k) && !is_f32(view->kv_type_v)));
    lmws_config_add(doc, fields, "llm.load.useUnifiedKvCache", yyjson_mut_bool(doc, true));
    if (view->chunk_size > 0) {
        lmws_config_add(doc, fields, "llm.load.llama.physicalBatchSize",
                        yyjson_mut_int(doc, view->chunk_size));
    }
    if (view->threads > 0) {
        lmws_config_add(doc, fields, "llm.load.llama.cpuThreadPoolSize",
                        yyjson_mut_int(doc, view->threads));
    }
    const char *ending = view->reasoning_ending ? view->reasoning_ending : "";
    lmws_config_add(doc, fields, "llm.load.llama.reasoningBudgetMessage",
                    yyjson_mut_str(doc, ending));
    if (view->chat_template) add_template(doc, fields, view->chat_template);
}

yyjson_mut_val *lmws_load_config_format(yyjson_mut_doc *doc, const struct model_view *model,
                                        const struct instance_view *view) {
    yyjson_mut_val *fields, *config = lmws_config_new(doc, &fields);
    bool embedding = model->type == MODEL_EMBEDDINGS;
    add_common(doc, fields, embedding ? "embedding" : "llm", model, view);
    if (embedding) return config;
    add_llm(doc, fields, view);
    return config;
}
