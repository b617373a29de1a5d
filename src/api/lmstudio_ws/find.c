/* SPDX-License-Identifier: MIT */
#include "api/lmstudio_ws/find.h"

#include <string.h>

#include "api/listing.h"
#include "api/lmstudio_ws/fail.h"
#include "api/lmstudio_ws/info.h"
#include "base/json.h"

static bool is_path_of(const struct model_view *model, const char *path) {
    struct buf whole = BUF_INIT(1 << 16);
    lmws_model_path(model, &whole);
    size_t len = strlen(path);
    bool fits = len > 0 && strncmp(buf_str(&whole), path, len) == 0 &&
                (whole.data[len] == '/' || whole.data[len] == '\0');
    buf_clear(&whole);
    return fits;
}

/* What a query does not name does not matter. */
static bool query_fits(yyjson_val *query, const struct lmws_found *found) {
    const char *identifier = json_find_str(query, "identifier"),
               *path = json_find_str(query, "path");
    const char *domain = json_find_str(query, "domain");
    yyjson_val *vision = yyjson_obj_get(query, "vision");
    bool embedding = found->model->type == MODEL_EMBEDDINGS;
    if (identifier && strcmp(identifier, found->instance->identifier) != 0) return false;
    if (path && strcmp(path, found->model->key) != 0 && !is_path_of(found->model, path))
        return false;
    if (domain && strcmp(domain, embedding ? "embedding" : "llm") != 0) return false;
    return !yyjson_is_true(vision); /* no engine of today can see */
}

static bool find(const struct lmws_session *session,
                 bool (*fits)(const void *what, const struct lmws_found *found),
                 const void *what, struct lmws_found *ret_found) {
    struct service_models models = session->service->models(session->service->self);
    for (size_t i = 0; i < models.count; i++) {
        const struct model_view *model = &models.models[i];
        if (!lmws_model_in_namespace(model, session->ns)) continue;
        for (size_t k = 0; k < model->instance_count; k++) {
            struct lmws_found found = { model, &model->instances[k] };
            if (!fits(what, &found)) continue;
            *ret_found = found;
            return true;
        }
    }
    return false;
}

static bool fits_reference(const void *what, const struct lmws_found *found) {
    const uint64_t *reference = what;
    return instance_is_loaded(found->instance) && found->instance->reference == *reference;
}

static bool fits_query(const void *what, const struct lmws_found *found) {
    return instance_is_loaded(found->instance) &&
           query_fits((yyjson_val *)(uintptr_t)what, found);
}

static bool fits_name(const void *what, const struct lmws_found *found) {
    return strcmp(found->instance->identifier, what) == 0;
}

static bool fits_identifier(const void *what, const struct lmws_found *found) {
    return instance_is_loaded(found->instance) && fits_name(what, found);
}

bool lmws_identifier_find(const struct lmws_session *session, const char *identifier,
                          struct lmws_found *ret_found) {
    return find(session, fits_identifier, identifier, ret_found);
}

bool lmws_name_find(const struct lmws_session *session, const char *identifier,
                    struct lmws_found *ret_found) {
    return find(session, fits_name, identifier, ret_found);
}

enum lmws_finding lmws_specifier_find(const struct lmws_session *session, yyjson_val *specifier,
                                      struct lmws_found *ret_found) {
    const char *reference = json_find_str(specifier, "instanceReference");
    if (reference) {
        uint64_t number = lmws_reference_parse(session->host, reference);
        bool found = number && find(session, fits_reference, &number, ret_found);
        return found ? LMWS_FOUND : LMWS_FOUND_UNLOADED;
    }
    yyjson_val *query = yyjson_obj_get(specifier, "query");
    return find(session, fits_query, query, ret_found) ? LMWS_FOUND : LMWS_FOUND_NONE;
}

bool lmws_specifier_demand(struct lmws_op *op, yyjson_val *specifier,
                           struct lmws_found *ret_found) {
    switch (lmws_specifier_find(op->session, specifier, ret_found)) {
    case LMWS_FOUND:
        return true;
    case LMWS_FOUND_UNLOADED:
        lmws_op_fail_unloaded(op);
        return false;
    case LMWS_FOUND_NONE:
        break;
    }
    lmws_op_fail_query(op, yyjson_obj_get(specifier, "query"));
    return false;
}

bool lmws_key_find(const struct lmws_session *session, const char *name,
                   struct model_view *ret_model) {
    const struct service *service = session->service;
    if (service->find_model(service->self, name, ret_model)) return true;
    struct service_models models = service->models(service->self);
    for (size_t i = 0; i < models.count; i++) {
        if (!is_path_of(&models.models[i], name)) continue;
        *ret_model = models.models[i];
        return true;
    }
    return false;
}
