/* SPDX-License-Identifier: MIT */
/* models.c - what is there and what is loaded, as Ollama lists it. */
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/listing.h"
#include "api/ollama/ollama.h"
#include "api/write.h"
#include "base/json.h"
#include "base/xalloc.h"

/* Clients ask for a newer server if the number is too low for what they use. */
static const char compatible_version[] = "0.14.2";

/* A model that stays loaded: Ollama gives a date that no clock reaches. */
static const int64_t far_future = (int64_t)7258118400 * 1000; /* 2200-01-01 */

void ollama_format_version(struct buf *out) {
    yyjson_mut_doc *doc = answer_new();
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_obj_add_str(doc, root, "version", compatible_version);
    yyjson_mut_obj_add_str(doc, root, "doze", DOZE_VERSION);
    json_write_end(doc, out);
}

/* ---- names ---- */

/* The id with a tag: "x" is "x:latest", "x@q8_0" is "x:q8_0". */
static void add_name(yyjson_mut_doc *doc, yyjson_mut_val *out, const char *id) {
    char *name = strpbrk(id, ":@") ? xstrdup(id) : xasprintf("%s:latest", id);
    char *at = strchr(name, ':') ? NULL : strchr(name, '@');
    if (at) *at = ':';
    yyjson_mut_obj_add_strcpy(doc, out, "name", name);
    yyjson_mut_obj_add_strcpy(doc, out, "model", name);
    free(name);
}

/* Clients tell models apart by it, and versions of one; it is not the sum of the file's bytes,
 * which would have to be read. */
static void add_digest(yyjson_mut_doc *doc, yyjson_mut_val *out,
                       const struct model_view *model) {
    struct sha256_ctx sha;
    uint8_t sum[SHA256_DIGEST_SIZE];
    char text[2 * SHA256_DIGEST_SIZE + 1];
    sha256_init(&sha);
    sha256_update(&sha, strlen(model->key) + 1, (const uint8_t *)model->key);
    sha256_update(&sha, sizeof model->size_bytes, (const uint8_t *)&model->size_bytes);
    sha256_update(&sha, sizeof model->modified_at, (const uint8_t *)&model->modified_at);
    sha256_digest(&sha, sizeof sum, sum);
    for (size_t i = 0; i < sizeof sum; i++) snprintf(text + 2 * i, 3, "%02x", sum[i]);
    yyjson_mut_obj_add_strcpy(doc, out, "digest", text);
}

static const char *or_empty(const char *text) {
    return text ? text : "";
}

static void add_details(yyjson_mut_doc *doc, yyjson_mut_val *out,
                        const struct model_view *model) {
    yyjson_mut_val *details = yyjson_mut_obj_add_obj(doc, out, "details");
    yyjson_mut_obj_add_str(doc, details, "parent_model", "");
    yyjson_mut_obj_add_str(doc, details, "format", "gguf");
    yyjson_mut_obj_add_str(doc, details, "family", or_empty(model->architecture));
    yyjson_mut_val *families = yyjson_mut_obj_add_arr(doc, details, "families");
    if (model->architecture) yyjson_mut_arr_add_str(doc, families, model->architecture);
    yyjson_mut_obj_add_str(doc, details, "parameter_size", or_empty(model->params_string));
    yyjson_mut_obj_add_str(doc, details, "quantization_level", or_empty(model->quantization));
}

/* ---- /api/tags ---- */

static void tag_fill(yyjson_mut_doc *doc, yyjson_mut_val *out,
                     const struct listing_entry *entry) {
    add_name(doc, out, entry->id);
    add_time(doc, out, "modified_at", entry->model->modified_at);
    yyjson_mut_obj_add_uint(doc, out, "size", entry->model->size_bytes);
    add_digest(doc, out, entry->model);
    add_details(doc, out, entry->model);
}

void ollama_format_tags(const struct service_models *models, struct buf *out) {
    static const struct listing_form form = { .shows = listing_serves, .fill = tag_fill };
    yyjson_mut_doc *doc = answer_new();
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    listing_fill(models, &form, doc, yyjson_mut_obj_add_arr(doc, root, "models"));
    json_write_end(doc, out);
}

/* ---- /api/ps ---- */

/* While it works the clock of its ttl does not run: the whole ttl lies before it. */
static int64_t expires_at(const struct instance_view *instance, int64_t now) {
    if (instance->ttl == MSEC_NEVER) return far_future;
    if (instance->idle_expires_at > 0) return instance->idle_expires_at;
    return now + instance->ttl;
}

static void instance_fill(yyjson_mut_doc *doc, yyjson_mut_val *out,
                          const struct model_view *model, const struct instance_view *instance,
                          int64_t now) {
    add_name(doc, out, instance->identifier);
    yyjson_mut_obj_add_uint(doc, out, "size",
                            instance->memory_bytes + instance->device_memory_bytes);
    add_digest(doc, out, model);
    add_details(doc, out, model);
    add_time(doc, out, "expires_at", expires_at(instance, now));
    yyjson_mut_obj_add_uint(doc, out, "size_vram", instance->device_memory_bytes);
    yyjson_mut_obj_add_int(doc, out, "context_length", instance->settings->context_length);
}

void ollama_format_ps(const struct service_models *models, int64_t now, struct buf *out) {
    yyjson_mut_doc *doc = answer_new();
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, root, "models");
    for (size_t i = 0; i < models->count; i++) {
        const struct model_view *model = &models->models[i];
        for (size_t j = 0; j < model->instance_count; j++) {
            if (!instance_is_loaded(&model->instances[j])) continue;
            instance_fill(doc, yyjson_mut_arr_add_obj(doc, list), model, &model->instances[j],
                          now);
        }
    }
    json_write_end(doc, out);
}

/* ---- /api/show ---- */

static void add_capabilities(yyjson_mut_doc *doc, yyjson_mut_val *root,
                             const struct model_view *model, bool infill) {
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, root, "capabilities");
    if (model->type == MODEL_EMBEDDINGS) {
        yyjson_mut_arr_add_str(doc, list, model->ranks ? "rerank" : "embedding");
        return;
    }
    yyjson_mut_arr_add_str(doc, list, "completion");
    if (model->tool_use) yyjson_mut_arr_add_str(doc, list, "tools");
    if (infill) yyjson_mut_arr_add_str(doc, list, "insert");
    if (model->vision) yyjson_mut_arr_add_str(doc, list, "vision");
    if (model->reasoning) yyjson_mut_arr_add_str(doc, list, "thinking");
}

/* One of GGUF's names that carry the architecture, unless the file had it. */
static void add_fact(yyjson_mut_doc *doc, yyjson_mut_val *info, const struct model_view *model,
                     const char *what, int64_t value) {
    if (!model->architecture || value <= 0) return;
    char *name = xasprintf("%s.%s", model->architecture, what);
    if (!yyjson_mut_obj_get(info, name))
        yyjson_mut_obj_add(info, yyjson_mut_strcpy(doc, name), yyjson_mut_sint(doc, value));
    free(name);
}

/* The file's pairs, and what clients look for beside them. */
static void add_info(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct model_view *model,
                     yyjson_mut_doc *pairs) {
    yyjson_mut_val *info = yyjson_mut_val_mut_copy(doc, yyjson_mut_doc_get_root(pairs));
    yyjson_mut_obj_add_val(doc, root, "model_info", info);
    if (!yyjson_mut_obj_get(info, "general.architecture"))
        yyjson_mut_obj_add_str(doc, info, "general.architecture",
                               or_empty(model->architecture));
    if (!yyjson_mut_obj_get(info, "general.basename"))
        yyjson_mut_obj_add_str(doc, info, "general.basename",
                               model->display_name ? model->display_name : model->key);
    yyjson_mut_obj_remove_key(info, "general.parameter_count");
    if (model->parameters > 0)
        yyjson_mut_obj_add_uint(doc, info, "general.parameter_count", model->parameters);
    add_fact(doc, info, model, "context_length", model->max_context_length);
    add_fact(doc, info, model, "block_count", model->layers);
}

/* One "name value" in a line, as in a Modelfile; of a loaded model. */
static void add_parameters(yyjson_mut_doc *doc, yyjson_mut_val *root,
                           const struct model_view *model) {
    struct buf text = BUF_INIT(1 << 12);
    for (size_t i = 0; i < model->instance_count && text.len == 0; i++) {
        const struct instance_view *instance = &model->instances[i];
        const struct sampling_view *sampling = &instance->sampling;
        if (!instance_is_loaded(instance)) continue;
        buf_addf(&text, "num_ctx %lld", (long long)instance->settings->context_length);
        if (!sampling->known) continue;
        buf_addf(&text, "\ntemperature %g\ntop_k %lld\ntop_p %g\nmin_p %g\nrepeat_penalty %g",
                 sampling->temperature, (long long)sampling->top_k, sampling->top_p,
                 sampling->min_p, sampling->repeat_penalty);
    }
    yyjson_mut_obj_add_strcpy(doc, root, "parameters", buf_str(&text));
    buf_clear(&text);
}

void ollama_format_show(const struct model_view *model, const struct ollama_file *file,
                        struct buf *out) {
    yyjson_mut_doc *doc = answer_new();
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    if (model->license) yyjson_mut_obj_add_str(doc, root, "license", model->license);
    add_parameters(doc, root, model);
    yyjson_mut_obj_add_str(doc, root, "template", or_empty(file->template));
    add_details(doc, root, model);
    add_info(doc, root, model, file->info);
    add_capabilities(doc, root, model, file->infill);
    add_time(doc, root, "modified_at", model->modified_at);
    json_write_end(doc, out);
}
