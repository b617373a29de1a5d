/* SPDX-License-Identifier: MIT */
#include "api/lmstudio_ws/info.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *lmws_model_domain(const struct model_view *model) {
    return model->type == MODEL_EMBEDDINGS ? "embedding" : "llm";
}

bool lmws_model_in_namespace(const struct model_view *model, enum lmws_namespace ns) {
    bool embedding = model->type == MODEL_EMBEDDINGS;
    return ns != LMWS_DECISION && embedding == (ns == LMWS_EMBEDDING);
}

/* In LM Studio's layout the last two folders are publisher and name. For a file elsewhere they
 * are the model's publisher and key. */
void lmws_model_path(const struct model_view *model, struct buf *out) {
    const char *file = strrchr(model->path, '/');
    const char *name = file;
    while (name && name > model->path && name[-1] != '/') name--;
    const char *publisher = name && name > model->path ? name - 1 : NULL;
    while (publisher && publisher > model->path && publisher[-1] != '/') publisher--;
    size_t len = strlen(model->publisher);
    bool usual = publisher && strncmp(publisher, model->publisher, len) == 0 &&
                 publisher[len] == '/';
    if (usual) {
        buf_add_str(out, publisher);
    } else {
        buf_addf(out, "%s/%s/%s", model->publisher, model->key, file ? file + 1 : model->path);
    }
}

/* The number in the name: Q4_K_M, F16, IQ2_XXS. */
static int64_t bits_of(const struct model_view *model) {
    const char *digit = model->quantization;
    while (*digit && !isdigit((unsigned char)*digit)) digit++;
    long bits = strtol(digit, NULL, 10);
    return bits >= 1 && bits <= 64 ? bits : lround(model->bits_per_weight);
}

/* Leaves an absent text out: null would make the client drop the whole answer. */
static void add_text(yyjson_mut_doc *doc, yyjson_mut_val *info, const char *name,
                     const char *text) {
    if (text && *text) yyjson_mut_obj_add_str(doc, info, name, text);
}

static void add_quantization(yyjson_mut_doc *doc, yyjson_mut_val *info,
                             const struct model_view *model) {
    if (!model->quantization || !*model->quantization) return;
    yyjson_mut_val *quantization = yyjson_mut_obj_add_obj(doc, info, "quantization");
    yyjson_mut_obj_add_str(doc, quantization, "name", model->quantization);
    yyjson_mut_obj_add_int(doc, quantization, "bits", bits_of(model));
}

yyjson_mut_val *lmws_model_info(yyjson_mut_doc *doc, const struct model_view *model) {
    struct buf path = BUF_INIT(1 << 16);
    lmws_model_path(model, &path);
    yyjson_mut_val *info = yyjson_mut_obj(doc);
    yyjson_mut_obj_add_str(doc, info, "type", lmws_model_domain(model));
    yyjson_mut_obj_add_str(doc, info, "modelKey", model->key);
    yyjson_mut_obj_add_str(doc, info, "format", "gguf");
    yyjson_mut_obj_add_str(doc, info, "displayName",
                           model->display_name ? model->display_name : model->key);
    yyjson_mut_obj_add_str(doc, info, "publisher", model->publisher);
    yyjson_mut_obj_add_strcpy(doc, info, "path", buf_str(&path));
    yyjson_mut_obj_add_uint(doc, info, "sizeBytes", model->size_bytes);
    yyjson_mut_obj_add_strcpy(doc, info, "indexedModelIdentifier", buf_str(&path));
    yyjson_mut_obj_add_null(doc, info, "deviceIdentifier");
    add_text(doc, info, "paramsString", model->params_string);
    add_text(doc, info, "architecture", model->architecture);
    add_quantization(doc, info, model);
    if (model->type != MODEL_EMBEDDINGS) {
        yyjson_mut_obj_add_bool(doc, info, "vision", model->vision);
        yyjson_mut_obj_add_bool(doc, info, "trainedForToolUse", model->tool_use);
    }
    yyjson_mut_obj_add_int(doc, info, "maxContextLength", model->max_context_length);
    buf_clear(&path);
    return info;
}

void lmws_reference_format(const struct lmws_host *host, uint64_t reference, char *text,
                           size_t size) {
    snprintf(text, size, "%" PRIx64 "-%" PRIu64, host->boot, reference);
}

uint64_t lmws_reference_parse(const struct lmws_host *host, const char *text) {
    char prefix[32], *end;
    int len = snprintf(prefix, sizeof prefix, "%" PRIx64 "-", host->boot);
    if (strncmp(text, prefix, (size_t)len) != 0 || !isdigit((unsigned char)text[len])) return 0;
    uint64_t reference = strtoull(text + len, &end, 10);
    return *end ? 0 : reference;
}

yyjson_mut_val *lmws_instance_info(yyjson_mut_doc *doc, const struct lmws_host *host,
                                   const struct model_view *model,
                                   const struct instance_view *instance) {
    char reference[48];
    yyjson_mut_val *info = lmws_model_info(doc, model);
    lmws_reference_format(host, instance->reference, reference, sizeof reference);
    yyjson_mut_obj_add_str(doc, info, "identifier", instance->identifier);
    yyjson_mut_obj_add_strcpy(doc, info, "instanceReference", reference);
    if (instance->ttl == MSEC_NEVER)
        yyjson_mut_obj_add_null(doc, info, "ttlMs");
    else
        yyjson_mut_obj_add_int(doc, info, "ttlMs", instance->ttl);
    if (instance->last_used_at > 0)
        yyjson_mut_obj_add_int(doc, info, "lastUsedTime", instance->last_used_at);
    else
        yyjson_mut_obj_add_null(doc, info, "lastUsedTime");
    yyjson_mut_obj_add_int(doc, info, "contextLength", instance->settings->context_length);
    return info;
}
