/* SPDX-License-Identifier: MIT */
/* v1_models.c - GET /api/v1/models, with doze's own fields of each instance. */
#include <string.h>

#include "api/lmstudio_rest/v1.h"
#include "api/write.h"
#include "base/json.h"

/* Whole seconds as an integer, as clients send them. */
static void add_seconds(yyjson_mut_doc *doc, yyjson_mut_val *out, const char *name,
                        int64_t ms) {
    if (ms == MSEC_NEVER) {
        yyjson_mut_obj_add_null(doc, out, name);
    } else if (ms % 1000 == 0) {
        yyjson_mut_obj_add_int(doc, out, name, ms / 1000);
    } else {
        yyjson_mut_obj_add_real(doc, out, name, (double)ms / 1000);
    }
}

const char *lmstudio_v1_type(enum model_type type) {
    return type == MODEL_EMBEDDINGS ? "embedding" : "llm";
}

void lmstudio_v1_add_config(yyjson_mut_doc *doc, yyjson_mut_val *out, const char *name,
                            const struct instance_view *view) {
    load_settings_add_shown(view->settings, doc, yyjson_mut_obj_add_obj(doc, out, name));
}

/* Left out until the worker has reported it. */
static void add_prompt_cache(yyjson_mut_doc *doc, yyjson_mut_val *out,
                             const struct instance_view *view) {
    if (view->prompts_kept == 0 && view->prompt_hits == 0) return;
    yyjson_mut_val *cache = yyjson_mut_obj_add_obj(doc, out, "prompt_cache");
    yyjson_mut_obj_add_int(doc, cache, "entries", view->prompts_kept);
    yyjson_mut_obj_add_uint(doc, cache, "bytes", view->prompt_bytes);
    yyjson_mut_obj_add_int(doc, cache, "hits", view->prompt_hits);
}

/* Left out until the worker has reported it. */
static void add_device(yyjson_mut_doc *doc, yyjson_mut_val *out,
                       const struct instance_view *view) {
    if (!view->device || !*view->device) return;
    yyjson_mut_obj_add_str(doc, out, "device", view->device);
    yyjson_mut_obj_add_int(doc, out, "gpu_layers", view->device_layers);
    yyjson_mut_obj_add_uint(doc, out, "device_memory_bytes", view->device_memory_bytes);
}

void lmstudio_v1_fill_instance(yyjson_mut_doc *doc, yyjson_mut_val *out,
                               const struct instance_view *view) {
    yyjson_mut_obj_add_str(doc, out, "id", view->identifier);
    lmstudio_v1_add_config(doc, out, "config", view);
    yyjson_mut_obj_add_str(doc, out, "model", view->model_key);
    yyjson_mut_obj_add_str(doc, out, "origin", instance_origin_name(view->origin));
    yyjson_mut_obj_add_str(doc, out, "state", instance_state_name(view->state));
    yyjson_mut_obj_add_real(doc, out, "load_progress", view->load_progress);
    add_seconds(doc, out, "ttl", view->ttl);
    add_seconds(doc, out, "idle_expires_in", view->expires_in);
    add_time(doc, out, "idle_expires_at", view->idle_expires_at);
    add_time(doc, out, "last_used_at", view->last_used_at);
    add_time(doc, out, "loaded_at", view->loaded_at);
    yyjson_mut_obj_add_real(doc, out, "load_time_seconds", view->load_time_seconds);
    yyjson_mut_obj_add_uint(doc, out, "memory_bytes", view->memory_bytes);
    add_device(doc, out, view);
    if (*view->settings->draft_model)
        yyjson_mut_obj_add_strcpy(doc, out, "draft_model", view->settings->draft_model);
    yyjson_mut_obj_add_uint(doc, out, "running", view->running);
    yyjson_mut_obj_add_uint(doc, out, "waiting", view->waiting);
    yyjson_mut_obj_add_bool(doc, out, "keep", view->keep);
    if (view->pid) yyjson_mut_obj_add_int(doc, out, "pid", view->pid);
    if (view->repack != REPACK_NONE) {
        yyjson_mut_obj_add_str(doc, out, "repack", repack_state_name(view->repack));
    }
    add_prompt_cache(doc, out, view);
}

static void add_quantization(yyjson_mut_doc *doc, yyjson_mut_val *out,
                             const struct model_view *model) {
    if (!model->quantization || !*model->quantization) {
        yyjson_mut_obj_add_null(doc, out, "quantization");
        return;
    }
    yyjson_mut_val *quantization = yyjson_mut_obj_add_obj(doc, out, "quantization");
    yyjson_mut_obj_add_str(doc, quantization, "name", model->quantization);
    yyjson_mut_obj_add_real(doc, quantization, "bits_per_weight", model->bits_per_weight);
}

/* Which reasoning settings a template has is unknown; only that the model reasons. */
static void add_capabilities(yyjson_mut_doc *doc, yyjson_mut_val *out,
                             const struct model_view *model) {
    yyjson_mut_val *capabilities = yyjson_mut_obj_add_obj(doc, out, "capabilities");
    yyjson_mut_obj_add_bool(doc, capabilities, "vision", model->vision);
    yyjson_mut_obj_add_bool(doc, capabilities, "trained_for_tool_use", model->tool_use);
    if (!model->reasoning) return;
    yyjson_mut_val *reasoning = yyjson_mut_obj_add_obj(doc, capabilities, "reasoning");
    yyjson_mut_val *options = yyjson_mut_obj_add_arr(doc, reasoning, "allowed_options");
    yyjson_mut_arr_add_str(doc, options, "on");
    yyjson_mut_obj_add_str(doc, reasoning, "default", "on");
}

/* LM Studio has no word for a reranker: it is an embedding model that says what it does. */
static void add_rank_capability(yyjson_mut_doc *doc, yyjson_mut_val *out) {
    yyjson_mut_val *capabilities = yyjson_mut_obj_add_obj(doc, out, "capabilities");
    yyjson_mut_obj_add_bool(doc, capabilities, "rerank", true);
}

void lmstudio_v1_fill_parked(yyjson_mut_doc *doc, yyjson_mut_val *out,
                             const struct parked_view *view) {
    yyjson_mut_obj_add_int(doc, out, "pid", view->pid);
    yyjson_mut_obj_add_uint(doc, out, "memory_bytes", view->memory_bytes);
    add_time(doc, out, "parked_at", view->parked_at);
    add_time(doc, out, "expires_at", view->expires_at);
}

/* doze's own; most models have none. */
static void add_parked(yyjson_mut_doc *doc, yyjson_mut_val *out,
                       const struct model_view *model) {
    if (model->parked_count == 0) return;
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, out, "parked_workers");
    for (size_t i = 0; i < model->parked_count; i++) {
        lmstudio_v1_fill_parked(doc, yyjson_mut_arr_add_obj(doc, list), &model->parked[i]);
    }
}

static void model_fill(yyjson_mut_doc *doc, yyjson_mut_val *out,
                       const struct model_view *model) {
    yyjson_mut_obj_add_str(doc, out, "type", lmstudio_v1_type(model->type));
    yyjson_mut_obj_add_str(doc, out, "publisher", model->publisher ? model->publisher : "");
    yyjson_mut_obj_add_str(doc, out, "key", model->key);
    yyjson_mut_obj_add_str(doc, out, "display_name",
                           model->display_name ? model->display_name : model->key);
    add_text_or_null(doc, out, "architecture", model->architecture);
    add_quantization(doc, out, model);
    yyjson_mut_obj_add_uint(doc, out, "size_bytes", model->size_bytes);
    add_text_or_null(doc, out, "params_string", model->params_string);
    yyjson_mut_val *instances = yyjson_mut_obj_add_arr(doc, out, "loaded_instances");
    for (size_t i = 0; i < model->instance_count; i++) {
        lmstudio_v1_fill_instance(doc, yyjson_mut_arr_add_obj(doc, instances),
                                  &model->instances[i]);
    }
    add_parked(doc, out, model);
    yyjson_mut_obj_add_int(doc, out, "max_context_length", model->max_context_length);
    yyjson_mut_obj_add_int(doc, out, "layers", model->layers);
    yyjson_mut_obj_add_str(doc, out, "format", "gguf");
    if (model->type == MODEL_LLM) add_capabilities(doc, out, model);
    if (model->ranks) add_rank_capability(doc, out);
    yyjson_mut_obj_add_null(doc, out, "description"); /* LM Studio has one for its own models */
    add_text_or_null(doc, out, "path", model->path);
    add_time(doc, out, "modified_at", model->modified_at);
    add_text_or_null(doc, out, "license", model->license);
    yyjson_mut_obj_add_bool(doc, out, "chat_template", model->chat_template);
    add_text_or_null(doc, out, "problem", model->problem);
}

void lmstudio_v1_format_models(const struct service_models *models, struct buf *out) {
    yyjson_mut_doc *doc = answer_new();
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, root, "models");
    for (size_t i = 0; i < models->count; i++) {
        model_fill(doc, yyjson_mut_arr_add_obj(doc, list), &models->models[i]);
    }
    json_write_end(doc, out);
}

void lmstudio_v1_format_instance(const struct instance_view *view, struct buf *out) {
    yyjson_mut_doc *doc = answer_new();
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    lmstudio_v1_fill_instance(doc, root, view);
    json_write_end(doc, out);
}
