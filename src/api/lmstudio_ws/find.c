/* SPDX-License-Identifier: MIT */
#include "api/lmstudio_ws/find.h"

#include <string.h>

#include "api/listing.h"
#include "api/lmstudio_ws/fail.h"
#include "api/lmstudio_ws/info.h"
#include "base/json.h"

/* publisher/name/file.gguf, or its beginning up to a slash. */
static bool is_path_of(const struct model_view *model, const char *path) {
    struct buf whole = BUF_INIT(1 << 16);
    lmws_model_path(model, &whole);
    size_t len = strlen(path);
    bool fits = len > 0 && strncmp(buf_str(&whole), path, len) == 0 &&
                (whole.data[len] == '/' || whole.data[len] == '\0');
    buf_clear(&whole);
    return fits;
}

/* A loaded instance that fits the query, or one in any state with the identifier. */
struct wanted {
    const struct service *service;
    yyjson_val *query;
    const char *identifier; /* NULL: by query */
    bool by_model;          /* the query's identifier may be a name of its model */
};

/* Any name that a load takes, too. */
static bool is_name_of(const struct service *service, const struct model_view *model,
                       const char *name) {
    struct model_view named;
    if (strcmp(name, model->key) == 0 || is_path_of(model, name)) return true;
    return service->find_model(service->self, name, &named) &&
           strcmp(named.key, model->key) == 0;
}

/* Only what the query names has to fit. */
static bool query_fits(const struct wanted *wanted, const struct model_view *model,
                       const struct instance_view *instance) {
    yyjson_val *query = wanted->query;
    const char *identifier = json_find_str(query, "identifier");
    const char *path = json_find_str(query, "path");
    const char *domain = json_find_str(query, "domain");
    if (identifier && strcmp(identifier, instance->identifier) != 0 &&
        !(wanted->by_model && is_name_of(wanted->service, model, identifier)))
        return false;
    if (path && !is_name_of(wanted->service, model, path)) return false;
    if (domain && strcmp(domain, lmws_model_domain(model)) != 0) return false;
    return model->vision || !yyjson_is_true(yyjson_obj_get(query, "vision"));
}

static bool wanted_fits(const struct wanted *wanted, const struct model_view *model,
                        const struct instance_view *instance) {
    if (wanted->identifier) return strcmp(instance->identifier, wanted->identifier) == 0;
    return instance_is_loaded(instance) && query_fits(wanted, model, instance);
}

static bool wanted_find(const struct lmws_session *session, const struct wanted *wanted,
                        struct lmws_found *ret_found) {
    struct service_models models = session->service->models(session->service->self);
    for (size_t i = 0; i < models.count; i++) {
        const struct model_view *model = &models.models[i];
        if (!lmws_model_in_namespace(model, session->ns)) continue;
        for (size_t k = 0; k < model->instance_count; k++) {
            if (!wanted_fits(wanted, model, &model->instances[k])) continue;
            *ret_found = (struct lmws_found){ *model, model->instances[k] };
            return true;
        }
    }
    return false;
}

bool lmws_identifier_find(const struct lmws_session *session, const char *identifier,
                          struct lmws_found *ret_found) {
    struct wanted wanted = { .service = session->service, .identifier = identifier };
    return wanted_find(session, &wanted, ret_found);
}

bool lmws_reference_find(const struct lmws_session *session, uint64_t reference,
                         struct lmws_found *ret_found) {
    const struct service *service = session->service;
    return service->find_instance(service->self, reference, &ret_found->model,
                                  &ret_found->instance) &&
           instance_is_loaded(&ret_found->instance) &&
           lmws_model_in_namespace(&ret_found->model, session->ns);
}

enum lmws_finding lmws_specifier_find(const struct lmws_session *session, yyjson_val *specifier,
                                      struct lmws_found *ret_found) {
    const char *name = json_find_str(specifier, "instanceReference");
    if (name) {
        uint64_t reference = lmws_reference_parse(session->host, name);
        bool found = reference && lmws_reference_find(session, reference, ret_found);
        return found ? LMWS_FOUND : LMWS_FOUND_UNLOADED;
    }
    struct wanted wanted = { .service = session->service,
                             .query = yyjson_obj_get(specifier, "query") };
    bool found = wanted_find(session, &wanted, ret_found);
    wanted.by_model = true;
    return found || wanted_find(session, &wanted, ret_found) ? LMWS_FOUND : LMWS_FOUND_NONE;
}

bool lmws_specifier_require(struct lmws_op *op, yyjson_val *specifier,
                            struct lmws_found *ret_found) {
    enum lmws_finding finding = lmws_specifier_find(op->session, specifier, ret_found);
    if (finding == LMWS_FOUND_UNLOADED) lmws_op_fail_unloaded(op);
    if (finding == LMWS_FOUND_NONE) {
        lmws_op_fail_query(op, yyjson_obj_get(specifier, "query"));
    }
    return finding == LMWS_FOUND;
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
