/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "api/listing.h"
#include "api/lmstudio_ws/config.h"
#include "api/lmstudio_ws/fail.h"
#include "api/lmstudio_ws/find.h"
#include "api/lmstudio_ws/handlers.h"
#include "api/lmstudio_ws/info.h"
#include "api/lmstudio_ws/prediction_config.h"
#include "base/json.h"
#include "base/no_model.h"

void lmws_list_loaded(struct lmws_op *op, yyjson_val *param) {
    const struct service *service = op->session->service;
    struct service_models models = service->models(service->self);
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *list = yyjson_mut_arr(doc);
    (void)param;
    for (size_t i = 0; i < models.count; i++) {
        const struct model_view *model = &models.models[i];
        if (!lmws_model_in_namespace(model, op->session->ns)) continue;
        for (size_t k = 0; k < model->instance_count; k++) {
            const struct instance_view *instance = &model->instances[k];
            if (!instance_is_loaded(instance)) continue;
            yyjson_mut_arr_append(list,
                                  lmws_instance_info(doc, op->session->host, model, instance));
        }
    }
    lmws_op_result(op, doc, list);
}

void lmws_get_model_info(struct lmws_op *op, yyjson_val *param) {
    struct lmws_found found;
    yyjson_val *specifier = yyjson_obj_get(param, "specifier");
    bool required = yyjson_get_bool(yyjson_obj_get(param, "throwIfNotFound"));
    if (!required && lmws_specifier_find(op->session, specifier, &found) != LMWS_FOUND) {
        lmws_op_done(op);
        return;
    }
    if (required && !lmws_specifier_require(op, specifier, &found)) return;
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    lmws_op_result(op, doc,
                   lmws_instance_info(doc, op->session->host, &found.model, &found.instance));
}

void lmws_get_load_config(struct lmws_op *op, yyjson_val *param) {
    struct lmws_found found;
    if (!lmws_specifier_require(op, yyjson_obj_get(param, "specifier"), &found)) return;
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    lmws_op_result(op, doc, lmws_load_config_format(doc, &found.model, &found.instance));
}

/* The model's own defaults: there are no presets of users. */
void lmws_get_base_prediction_config(struct lmws_op *op, yyjson_val *param) {
    struct lmws_found found;
    struct error err; /* unused: without a stack nothing is refused */
    if (!lmws_specifier_require(op, yyjson_obj_get(param, "specifier"), &found)) return;
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *body = yyjson_mut_obj(doc); /* a request's; not needed */
    lmws_op_result(op, doc,
                   lmws_prediction_config_read(NULL, LMWS_CONFIG_CHAT, &found.instance.sampling,
                                               doc, body, &err));
}

void lmws_get_processing_state(struct lmws_op *op, yyjson_val *param) {
    static const char *const words[] = {
        [WORK_NONE] = "idle",
        [WORK_EMBEDDING] = "computingEmbedding",
        [WORK_PROMPT] = "processingPrompt",
        [WORK_GENERATING] = "generating",
    };
    struct lmws_found found;
    if (!lmws_specifier_require(op, yyjson_obj_get(param, "specifier"), &found)) return;
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *state = yyjson_mut_obj(doc);
    yyjson_mut_obj_add_str(doc, state, "status", words[found.instance.work]);
    yyjson_mut_obj_add_uint(doc, state, "queued",
                            found.instance.running + found.instance.waiting);
    lmws_op_result(op, doc, state);
}

static void list_models(struct lmws_op *op, const char *key) {
    const struct service *service = op->session->service;
    struct service_models models = service->models(service->self);
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *all = yyjson_mut_arr(doc);
    for (size_t i = 0; i < models.count; i++) {
        const struct model_view *model = &models.models[i];
        if (model->problem || (key && strcmp(model->key, key) != 0)) continue;
        yyjson_mut_arr_append(all, lmws_model_info(doc, model));
    }
    lmws_op_result(op, doc, all);
}

void lmws_list_downloaded(struct lmws_op *op, yyjson_val *param) {
    (void)param;
    list_models(op, NULL);
}

/* Each file is a model of its own, so it is its only variant. */
void lmws_list_variants(struct lmws_op *op, yyjson_val *param) {
    struct model_view model;
    struct error err;
    const char *name = json_find_str(param, "modelKey");
    if (!name || !lmws_key_find(op->session, name, &model)) {
        error_no_model(&err, "modelKey", name ? name : "", NULL);
        lmws_op_fail_path(op, name ? name : "", &err);
        return;
    }
    list_models(op, model.key);
}
