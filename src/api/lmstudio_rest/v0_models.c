/* SPDX-License-Identifier: MIT */
/* v0_models.c - GET /api/v0/models. Clients parse `type` and `state` into closed sets
 * (Zed drops the whole list otherwise): nothing but the values written here may appear. */

#include "api/listing.h"
#include "api/lmstudio_rest/v0.h"

static bool is_coming(const struct listing_entry *entry) {
    if (entry->instance) return instance_is_coming(entry->instance);
    for (size_t i = 0; i < entry->model->instance_count; i++) {
        if (instance_is_coming(&entry->model->instances[i])) return true;
    }
    return false;
}

static const char *state_of(const struct listing_entry *entry) {
    if (entry_loaded(entry)) return "loaded";
    return is_coming(entry) ? "loading" : "not-loaded";
}

static const char *or_empty(const char *text) {
    return text ? text : "";
}

static void entry_fill(yyjson_mut_doc *doc, yyjson_mut_val *out,
                       const struct listing_entry *entry) {
    const struct model_view *model = entry->model;
    const struct instance_view *loaded = entry_loaded(entry);
    yyjson_mut_obj_add_str(doc, out, "id", entry->id);
    yyjson_mut_obj_add_str(doc, out, "object", "model");
    yyjson_mut_obj_add_str(doc, out, "type",
                           model->vision ? "vlm" : model_type_name(model->type));
    yyjson_mut_obj_add_str(doc, out, "publisher", or_empty(model->publisher));
    yyjson_mut_obj_add_str(doc, out, "arch", or_empty(model->architecture));
    yyjson_mut_obj_add_str(doc, out, "compatibility_type", "gguf");
    yyjson_mut_obj_add_str(doc, out, "quantization", or_empty(model->quantization));
    yyjson_mut_obj_add_str(doc, out, "state", state_of(entry));
    yyjson_mut_obj_add_int(doc, out, "max_context_length", model->max_context_length);
    if (loaded)
        yyjson_mut_obj_add_int(doc, out, "loaded_context_length",
                               loaded->settings->context_length);
    yyjson_mut_val *capabilities = yyjson_mut_obj_add_arr(doc, out, "capabilities");
    if (model->tool_use) yyjson_mut_arr_add_str(doc, capabilities, "tool_use");
    if (model->ranks) yyjson_mut_arr_add_str(doc, capabilities, "rerank");
}

static const struct listing_form form = { .fill = entry_fill };

void lmstudio_v0_format_models(const struct service_models *models, struct buf *out) {
    listing_format(models, &form, out);
}

bool lmstudio_v0_format_model(const struct service_models *models, const char *id,
                              struct buf *out) {
    return listing_format_one(models, id, &form, out);
}
