/* SPDX-License-Identifier: MIT */
#include "api/lmstudio_ws/fail.h"

#include <string.h>

#include "api/listing.h"
#include "api/lmstudio_ws/info.h"
#include "base/no_model.h"

enum { SAMPLE_MAX = 10 };

static const char listing[] = "`lms ls`";

yyjson_mut_val *lmws_error_object(yyjson_mut_doc *doc, const char *title) {
    yyjson_mut_val *error = yyjson_mut_obj(doc);
    yyjson_mut_obj_add_strcpy(doc, error, "title", title);
    yyjson_mut_obj_add_strcpy(doc, error, "rootTitle", title);
    return error;
}

static yyjson_mut_val *add_display_data(yyjson_mut_doc *doc, yyjson_mut_val *error,
                                        const char *code) {
    yyjson_mut_val *data = yyjson_mut_obj_add_obj(doc, error, "displayData");
    yyjson_mut_obj_add_str(doc, data, "code", code);
    return data;
}

static const struct model_view *next_model(const struct lmws_session *session,
                                           const struct service_models *models, size_t *i) {
    while (*i < models->count) {
        const struct model_view *model = &models->models[(*i)++];
        if (!model->problem && lmws_model_in_namespace(model, session->ns)) return model;
    }
    return NULL;
}

static void add_loaded_models(struct lmws_op *op, yyjson_mut_doc *doc, yyjson_mut_val *data) {
    const struct service *service = op->session->service;
    struct service_models models = service->models(service->self);
    yyjson_mut_val *sample = yyjson_mut_obj_add_arr(doc, data, "loadedModelsSample");
    const struct model_view *model;
    int total = 0;
    for (size_t i = 0; (model = next_model(op->session, &models, &i));) {
        for (size_t k = 0; k < model->instance_count; k++) {
            if (!instance_is_loaded(&model->instances[k])) continue;
            if (total++ >= SAMPLE_MAX) continue;
            yyjson_mut_arr_add_strcpy(doc, sample, model->instances[k].identifier);
        }
    }
    yyjson_mut_obj_add_int(doc, data, "totalLoadedModels", total);
}

void lmws_op_fail_unloaded(struct lmws_op *op) {
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *error = lmws_error_object(doc, "This model was unloaded; load it again.");
    add_display_data(doc, error, "generic.specificModelUnloaded");
    lmws_op_error(op, doc, error);
}

void lmws_op_fail(struct lmws_op *op, const struct error *err) {
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    if (err->code == ERR_MODEL_UNLOADED) {
        yyjson_mut_doc_free(doc);
        lmws_op_fail_unloaded(op);
        return;
    }
    struct error own;
    error_list_by(err, listing, &own);
    lmws_op_error(op, doc, lmws_error_object(doc, own.text));
}

/* One code for all that is not found: the Python SDK makes its LMStudioModelNotFoundError of no
 * other. */
static void fail_not_found(struct lmws_op *op, yyjson_mut_doc *doc, const char *text,
                           yyjson_mut_val *query) {
    yyjson_mut_val *error = lmws_error_object(doc, text);
    yyjson_mut_val *data = add_display_data(doc, error, "generic.noModelMatchingQuery");
    yyjson_mut_obj_add_val(doc, data, "query", query);
    add_loaded_models(op, doc, data);
    lmws_op_error(op, doc, error);
}

/* A client that may not use a model learns nothing about it. */
static bool is_elsewhere(const struct lmws_op *op, const char *path, struct error *ret_err) {
    const struct lmws_host *host = op->session->host;
    const struct allowed_models *allowed = op->session->allowed;
    return host->elsewhere && allowed && allowed_models_require(allowed, path, ret_err) &&
           host->elsewhere(host->self, path, ret_err);
}

/* The SDKs show words of their own for what is not found, and ours only without that code. */
void lmws_op_fail_path(struct lmws_op *op, const char *path, const struct error *err) {
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    struct error there;
    if (is_elsewhere(op, path, &there)) {
        lmws_op_error(op, doc, lmws_error_object(doc, there.text));
        return;
    }
    yyjson_mut_val *query = yyjson_mut_obj(doc);
    yyjson_mut_obj_add_strcpy(doc, query, "path", path);
    struct error own;
    error_list_by(err, listing, &own);
    fail_not_found(op, doc, own.text, query);
}

void lmws_op_fail_identifier(struct lmws_op *op, const char *identifier) {
    struct error err;
    error_set(&err, ERR_MODEL_NOT_FOUND,
              "No loaded model has the identifier '%.80s'; `doze ps` lists the loaded ones.",
              identifier);
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *query = yyjson_mut_obj(doc);
    yyjson_mut_obj_add_strcpy(doc, query, "identifier", identifier);
    fail_not_found(op, doc, err.text, query);
}

void lmws_op_fail_query(struct lmws_op *op, yyjson_val *query) {
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *copy = yyjson_is_obj(query) ? yyjson_val_mut_copy(doc, query) : NULL;
    fail_not_found(op, doc, "No loaded model matches the query; load one first.",
                   copy ? copy : yyjson_mut_obj(doc));
}

void lmws_op_fail_domain(struct lmws_op *op, const struct model_view *model) {
    bool embedding = model->type == MODEL_EMBEDDINGS;
    enum lmws_namespace ns = op->session->ns;
    const char *expected = ns == LMWS_DECISION    ? "decision"
                           : ns == LMWS_EMBEDDING ? "embedding"
                                                  : "llm";
    struct error err;
    error_set(&err, ERR_INVALID_REQUEST,
              embedding ? "'%.80s' is an embedding model; load it with client.embedding."
                        : "'%.80s' is a language model; load it with client.llm.",
              model->key);
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *error = lmws_error_object(doc, err.text);
    yyjson_mut_val *data = add_display_data(doc, error, "generic.domainMismatch");
    yyjson_mut_obj_add_strcpy(doc, data, "path", model->key);
    yyjson_mut_obj_add_str(doc, data, "actualDomain", lmws_model_domain(model));
    yyjson_mut_obj_add_str(doc, data, "expectedDomain", expected);
    lmws_op_error(op, doc, error);
}

void lmws_op_fail_preset(struct lmws_op *op, const char *preset) {
    struct error err;
    error_set(&err, ERR_NOT_FOUND,
              "There is no preset '%.80s': doze has no presets; set the fields themselves.",
              preset);
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *error = lmws_error_object(doc, err.text);
    yyjson_mut_val *data = add_display_data(doc, error, "generic.presetNotFound");
    yyjson_mut_obj_add_strcpy(doc, data, "specifiedFuzzyPresetIdentifier", preset);
    (void)yyjson_mut_obj_add_arr(doc, data, "availablePresetsSample");
    yyjson_mut_obj_add_int(doc, data, "totalAvailablePresets", 0);
    lmws_op_error(op, doc, error);
}

/* What to do instead, for endpoints that are much used. */
static const struct {
    const char *endpoint, *instead;
} substitutes[] = {
    { "createArtifactDownloadPlan", "`doze get` downloads models of the hub" },
    { "preloadDraftModel",
      "load the model with this draft model (draftModel of its load config)" },
};

/* Of no endpoint: only to be answered. */
static struct lmws_op *refused_op(struct lmws_session *session, enum lmws_op_kind kind,
                                  int64_t id) {
    static const struct lmws_endpoint nowhere[] = { { 0, LMWS_RPC, "", 0, NULL, NULL },
                                                    { 0, LMWS_CHANNEL, "", 0, NULL, NULL } };
    return lmws_op_new(session, &nowhere[kind], id);
}

void lmws_op_fail_not_offered(struct lmws_session *session, enum lmws_op_kind kind, int64_t id,
                              const char *endpoint) {
    struct error err;
    const char *instead = NULL;
    for (size_t i = 0; i < sizeof substitutes / sizeof substitutes[0]; i++) {
        if (strcmp(substitutes[i].endpoint, endpoint) == 0) instead = substitutes[i].instead;
    }
    error_set(&err, ERR_NOT_SUPPORTED, "'%.60s' is not supported by doze%s%s.", endpoint,
              instead ? "; " : "", instead ? instead : "");
    lmws_op_fail(refused_op(session, kind, id), &err);
}

void lmws_op_fail_full(struct lmws_session *session, enum lmws_op_kind kind, int64_t id) {
    bool own = session->op_count >= LMWS_OPS_MAX;
    struct error err;
    error_set(&err, ERR_QUEUE_FULL,
              own ? "This connection already has %zu open calls; wait until some have ended."
                  : "All connections together have %zu open calls; wait until some have ended.",
              own ? session->op_count : *session->host->ops);
    lmws_op_fail(refused_op(session, kind, id), &err);
}
