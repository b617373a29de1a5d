/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "api/lmstudio_ws/internal.h"

bool instance_is_usable(const struct instance_view *instance) {
    return instance->state == INSTANCE_IDLE || instance->state == INSTANCE_BUSY ||
           instance->state == INSTANCE_DRAINING;
}

static bool is_path_of(const struct model_view *model, const char *path) {
    struct buf whole = BUF_INIT(1 << 16);
    ws_model_path(model, &whole);
    size_t len = strlen(path);
    bool fits = len > 0 && strncmp(buf_str(&whole), path, len) == 0 &&
                (whole.data[len] == '/' || whole.data[len] == '\0');
    buf_clear(&whole);
    return fits;
}

/* What a query does not name does not matter. */
static bool query_fits(yyjson_val *query, const struct found *found) {
    const char *identifier = text_field(query, "identifier"), *path = text_field(query, "path");
    const char *domain = text_field(query, "domain");
    yyjson_val *vision = yyjson_obj_get(query, "vision");
    bool embedding = strcmp(found->model->type, "embeddings") == 0;
    if (identifier && strcmp(identifier, found->instance->identifier) != 0) return false;
    if (path && strcmp(path, found->model->key) != 0 && !is_path_of(found->model, path))
        return false;
    if (domain && strcmp(domain, embedding ? "embedding" : "llm") != 0) return false;
    return !yyjson_is_true(vision); /* no engine of today can see */
}

static bool find(const struct lmws_session *session,
                 bool (*fits)(const void *what, const struct found *found), const void *what,
                 struct found *ret_found) {
    struct service_models models = session->service->models(session->service->self);
    for (size_t i = 0; i < models.count; i++) {
        const struct model_view *model = &models.models[i];
        if (!ws_model_in_namespace(model, session->ns)) continue;
        for (size_t k = 0; k < model->instance_count; k++) {
            struct found found = { model, &model->instances[k] };
            if (!fits(what, &found)) continue;
            *ret_found = found;
            return true;
        }
    }
    return false;
}

static bool fits_reference(const void *what, const struct found *found) {
    const uint64_t *reference = what;
    return instance_is_usable(found->instance) && found->instance->reference == *reference;
}

static bool fits_query(const void *what, const struct found *found) {
    return instance_is_usable(found->instance) &&
           query_fits((yyjson_val *)(uintptr_t)what, found);
}

static bool fits_name(const void *what, const struct found *found) {
    return strcmp(found->instance->identifier, what) == 0;
}

static bool fits_identifier(const void *what, const struct found *found) {
    return instance_is_usable(found->instance) && fits_name(what, found);
}

bool ws_identifier_find(const struct lmws_session *session, const char *identifier,
                        struct found *ret_found) {
    return find(session, fits_identifier, identifier, ret_found);
}

bool ws_name_find(const struct lmws_session *session, const char *identifier,
                  struct found *ret_found) {
    return find(session, fits_name, identifier, ret_found);
}

enum found_how ws_specifier_find(const struct lmws_session *session, yyjson_val *specifier,
                                 struct found *ret_found) {
    const char *reference = text_field(specifier, "instanceReference");
    if (reference) {
        uint64_t number = ws_reference_parse(session->host, reference);
        bool found = number && find(session, fits_reference, &number, ret_found);
        return found ? FOUND_IT : FOUND_UNLOADED;
    }
    yyjson_val *query = yyjson_obj_get(specifier, "query");
    return find(session, fits_query, query, ret_found) ? FOUND_IT : FOUND_NOTHING;
}

bool ws_specifier_demand(struct op *op, yyjson_val *specifier, struct found *ret_found) {
    switch (ws_specifier_find(op->session, specifier, ret_found)) {
    case FOUND_IT:
        return true;
    case FOUND_UNLOADED:
        op_fail_unloaded(op);
        return false;
    case FOUND_NOTHING:
        break;
    }
    op_fail_query(op, yyjson_obj_get(specifier, "query"));
    return false;
}

bool ws_key_find(const struct lmws_session *session, const char *name,
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
