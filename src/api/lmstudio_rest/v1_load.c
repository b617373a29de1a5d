/* SPDX-License-Identifier: MIT */
/* v1_load.c - load, unload and update of LM Studio's v1 dialect. */
#include <stdlib.h>

#include "api/lmstudio_rest/v1.h"
#include "api/ttl.h"
#include "api/write.h"
#include "base/json.h"
#include "base/xalloc.h"

static bool name_read(yyjson_val *obj, const char *name, const char **out, struct error *err) {
    if (!json_read_str(obj, name, out, err)) return false;
    if (!*out || **out) return true;
    return error_set_param(err, ERR_INVALID_REQUEST, name, "'%s' must not be empty.", name);
}

static bool model_read(yyjson_val *obj, const char **ret_model, struct error *err) {
    if (!name_read(obj, "model", ret_model, err)) return false;
    if (*ret_model) return true;
    return error_set_param(
        err, ERR_INVALID_REQUEST, "model",
        "'model' is missing; send the key of a model of GET /api/v1/models.");
}

/* As LM Studio's SDK spells them; the names of the settings themselves win. */
static bool rope_read(yyjson_val *obj, struct load_settings *settings, struct error *err) {
    static const struct {
        const char *spelling, *field;
    } rope[] = { { "ropeFrequencyBase", "rope_frequency_base" },
                 { "ropeFrequencyScale", "rope_frequency_scale" } };
    for (size_t i = 0; i < sizeof rope / sizeof rope[0]; i++) {
        const struct load_field *field = load_field_find(rope[i].field);
        double min, max, value = 0; /* 0: not in the body; sets nothing */
        load_field_range(field, &min, &max);
        if (!json_read_double(obj, rope[i].spelling, min, max, &value, err)) return false;
        load_field_set_number(field, settings, value);
    }
    return true;
}

static bool load_read(yyjson_val *obj, struct load_request *load, bool *echo,
                      struct error *err) {
    return model_read(obj, &load->model, err) &&
           name_read(obj, "identifier", &load->identifier, err) &&
           api_read_ttl(obj, &load->ttl, err) && rope_read(obj, &load->settings, err) &&
           load_settings_read(obj, false, &load->settings, err) &&
           json_read_bool(obj, "keep", &load->keep, err) &&
           json_read_bool(obj, "force", &load->force, err) &&
           json_read_bool(obj, "echo_load_config", echo, err);
}

bool lmstudio_v1_parse_load(const char *body, size_t len, struct load_request *ret_load,
                            bool *ret_echo_config, yyjson_doc **ret_doc, struct error *err) {
    struct load_request load = LOAD_REQUEST_UNSET;
    bool echo = false;
    yyjson_doc *doc = json_parse_object(body, len, err);
    if (!doc) return false;
    if (!load_read(yyjson_doc_get_root(doc), &load, &echo, err)) {
        yyjson_doc_free(doc);
        return false;
    }
    *ret_load = load;
    *ret_echo_config = echo;
    *ret_doc = doc;
    return true;
}

static void add_not_kept(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct error *why) {
    char *text = xasprintf("It is loaded, but will not be loaded again at the next start: %s",
                           why->text);
    yyjson_mut_obj_add_strcpy(doc, root, "warning", text);
    free(text);
}

void lmstudio_v1_format_load(const struct load_result *result, bool echo_config,
                             struct buf *out) {
    const struct instance_view *instance = result->instance;
    yyjson_mut_doc *doc = answer_new();
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_obj_add_str(doc, root, "type", lmstudio_v1_type(instance->type));
    yyjson_mut_obj_add_str(doc, root, "instance_id", instance->identifier);
    yyjson_mut_obj_add_real(doc, root, "load_time_seconds", instance->load_time_seconds);
    yyjson_mut_obj_add_str(doc, root, "status", "loaded");
    if (result->not_kept) add_not_kept(doc, root, result->not_kept);
    if (echo_config) lmstudio_v1_add_config(doc, root, "load_config", instance);
    json_write_end(doc, out);
}

bool lmstudio_v1_parse_unload(const char *body, size_t len, char **ret_instance_id,
                              struct error *err) {
    const char *id = NULL;
    bool all = false;
    yyjson_doc *doc = json_parse_object(body, len, err);
    if (!doc) return false;
    yyjson_val *root = yyjson_doc_get_root(doc);
    bool ok = name_read(root, "instance_id", &id, err) &&
              json_read_bool(root, "all", &all, err);
    if (ok && !id && !all) {
        ok = error_set_param(err, ERR_INVALID_REQUEST, "instance_id",
                             "'instance_id' is missing; send the id of a loaded instance.");
    } else if (ok && id && all) {
        ok = error_set_param(err, ERR_INVALID_REQUEST, "all",
                             "Send either 'instance_id' or 'all', not both.");
    }
    if (ok) *ret_instance_id = id ? xstrdup(id) : NULL;
    yyjson_doc_free(doc);
    return ok;
}

void lmstudio_v1_format_unload(const char *instance_id, struct buf *out) {
    yyjson_mut_doc *doc = answer_new();
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    if (instance_id)
        yyjson_mut_obj_add_str(doc, root, "instance_id", instance_id);
    else
        yyjson_mut_obj_add_bool(doc, root, "all", true);
    json_write_end(doc, out);
}

bool lmstudio_v1_parse_prefetch(const char *body, size_t len, char **ret_model,
                                struct error *err) {
    const char *model = NULL;
    yyjson_doc *doc = json_parse_object(body, len, err);
    if (!doc) return false;
    bool ok = model_read(yyjson_doc_get_root(doc), &model, err);
    if (ok) *ret_model = xstrdup(model);
    yyjson_doc_free(doc);
    return ok;
}

void lmstudio_v1_format_prefetch(const struct prefetch_result *result, struct buf *out) {
    yyjson_mut_doc *doc = answer_new();
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_obj_add_str(doc, root, "model", result->model_key);
    yyjson_mut_obj_add_str(doc, root, "status", result->loaded ? "loaded" : "prefetched");
    yyjson_mut_obj_add_uint(doc, root, "size_bytes", result->size);
    json_write_end(doc, out);
}

static bool origin_read(yyjson_val *obj, struct instance_change *change, struct error *err) {
    const char *origin = NULL;
    if (!json_read_str(obj, "origin", &origin, err)) return false;
    change->sets_origin = origin && instance_origin_parse(origin, &change->origin);
    if (!origin || change->sets_origin) return true;
    return error_set_param(err, ERR_INVALID_REQUEST, "origin",
                           "'origin' must be \"jit\" or \"explicit\", not \"%s\".", origin);
}

bool lmstudio_v1_parse_update(const char *body, size_t len, struct instance_change *ret_change,
                              struct error *err) {
    struct instance_change change = { 0 };
    yyjson_doc *doc = json_parse_object(body, len, err);
    if (!doc) return false;
    yyjson_val *root = yyjson_doc_get_root(doc);
    bool ok = api_read_ttl(root, &change.ttl, err) && origin_read(root, &change, err);
    if (ok && !change.ttl.given && !change.sets_origin) {
        ok = error_set(err, ERR_INVALID_REQUEST,
                       "Nothing to change; send 'ttl', 'origin' or both.");
    }
    if (ok) *ret_change = change;
    yyjson_doc_free(doc);
    return ok;
}
