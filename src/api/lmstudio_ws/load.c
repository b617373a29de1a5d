/* SPDX-License-Identifier: MIT */
/* load.c - loads, get-or-loads, unloads and estimates, each by one call of the
 * service. */
#include <math.h>
#include <string.h>

#include "api/lmstudio_ws/config.h"
#include "api/lmstudio_ws/fail.h"
#include "api/lmstudio_ws/find.h"
#include "api/lmstudio_ws/handlers.h"
#include "api/lmstudio_ws/info.h"
#include "base/json.h"
#include "base/xalloc.h"

/* Milliseconds, at least 1; anything else counts as not given. */
static struct ttl ttl_read(yyjson_val *param, const char *name) {
    double ms = yyjson_get_num(yyjson_obj_get(param, name));
    double most = 10.0 * 365 * 86400 * 1000;
    if (!(ms > 0)) return (struct ttl){ 0 };
    return (struct ttl){ .given = true, .value = (msec)ceil(ms < most ? ms : most) };
}

static void send_model(struct lmws_op *op, const char *type, const struct model_view *model) {
    yyjson_mut_doc *doc;
    yyjson_mut_val *message = lmws_op_message(&doc, type);
    yyjson_mut_obj_add_val(doc, message, "info", lmws_model_info(doc, model));
    lmws_op_send(op, doc, message);
}

static void send_progress(struct lmws_op *op, const char *type, double progress) {
    yyjson_mut_doc *doc;
    yyjson_mut_val *message = lmws_op_message(&doc, type);
    yyjson_mut_obj_add_real(doc, message, "progress", progress);
    lmws_op_send(op, doc, message);
}

/* False: it is gone already, between its load and now. */
static bool send_instance(struct lmws_op *op, const char *type, const char *identifier) {
    struct lmws_found found;
    if (!lmws_identifier_find(op->session, identifier, &found)) return false;
    yyjson_mut_doc *doc;
    yyjson_mut_val *message = lmws_op_message(&doc, type);
    yyjson_mut_obj_add_val(
        doc, message, "info",
        lmws_instance_info(doc, op->session->host, found.model, found.instance));
    lmws_op_send(op, doc, message);
    return true;
}

/* Why a load failed. A name that means nothing has an error of its own. */
static void fail_load(struct lmws_op *op, const char *key, const struct error *err) {
    if (err->code == ERR_MODEL_NOT_FOUND)
        lmws_op_fail_path(op, key, err);
    else
        lmws_op_fail(op, err);
}

/* The model meant, if it is of the session's kind; else the op is ended. */
static bool demand_model(struct lmws_op *op, yyjson_val *param, const char *name,
                         struct model_view *ret_model) {
    struct error err;
    const char *key = json_find_str(param, name);
    if (!key || !*key) {
        error_set(&err, ERR_INVALID_REQUEST, "'%s' is missing; name a model.", name);
        lmws_op_fail(op, &err);
    } else if (!lmws_key_find(op->session, key, ret_model)) {
        error_set(&err, ERR_MODEL_NOT_FOUND, "There is no model '%.100s'.", key);
        lmws_op_fail_path(op, key, &err);
    } else if (!lmws_model_in_namespace(ret_model, op->session->ns)) {
        lmws_op_fail_domain(op, ret_model);
    } else {
        return true;
    }
    return false;
}

/* ---- loadModel ---- */

static void on_load_progress(void *ctx, call_id call, double progress) {
    struct lmws_op *op = ctx;
    (void)call;
    send_progress(op, "progress", progress);
}

static void on_load_end(void *ctx, call_id call, const struct load_result *result,
                        const struct error *error) {
    struct lmws_op *op = ctx;
    (void)call;
    op->call = 0;
    lmws_op_enter(op);
    if (error) {
        lmws_op_fail(op, error);
    } else if (send_instance(op, "success", result->instance->identifier)) {
        lmws_op_close(op);
    } else {
        lmws_op_fail_unloaded(op);
    }
    lmws_op_leave(op);
}

static void begin_load(struct lmws_op *op, const struct load_request *request) {
    const struct service *service = op->session->service;
    struct load_sink sink = { .on_progress = on_load_progress,
                              .on_end = on_load_end,
                              .ctx = op };
    call_id call = service->load(service->self, request, sink);
    if (!op->ended) op->call = call;
}

void lmws_load_model(struct lmws_op *op, yyjson_val *param) {
    struct load_request request = LOAD_REQUEST_UNSET;
    struct model_view model;
    if (!demand_model(op, param, "modelKey", &model)) return;
    request.model = model.key;
    request.identifier = json_find_str(param, "identifier");
    request.ttl = ttl_read(param, "ttlMs");
    lmws_load_config_read(yyjson_obj_get(param, "loadConfigStack"), &model, &request);
    send_model(op, "resolved", &model);
    begin_load(op, &request);
}

/* The client has given up; nobody else may be waiting for this load. */
void lmws_load_message(struct lmws_op *op, yyjson_val *message) {
    if (yyjson_equals_str(yyjson_obj_get(message, "type"), "cancel")) lmws_op_close(op);
}

/* ---- getOrLoad ---- */

static void on_evicting(void *ctx, call_id call, const struct instance_view *victim) {
    struct lmws_op *op = ctx;
    const struct service *service = op->session->service;
    struct model_view model;
    (void)call;
    if (!service->find_model(service->self, victim->model_key, &model)) return;
    yyjson_mut_doc *doc;
    yyjson_mut_val *message = lmws_op_message(&doc, "unloadingOtherJITModel");
    yyjson_mut_obj_add_val(doc, message, "info",
                           lmws_instance_info(doc, op->session->host, &model, victim));
    lmws_op_send(op, doc, message);
}

static void on_loading(void *ctx, call_id call, const struct instance_view *instance) {
    struct lmws_op *op = ctx;
    const struct service *service = op->session->service;
    struct model_view model;
    (void)call;
    if (!service->find_model(service->self, instance->model_key, &model)) return;
    yyjson_mut_doc *doc;
    yyjson_mut_val *message = lmws_op_message(&doc, "startLoading");
    yyjson_mut_obj_add_strcpy(doc, message, "identifier", instance->identifier);
    yyjson_mut_obj_add_val(doc, message, "info", lmws_model_info(doc, &model));
    lmws_op_send(op, doc, message);
}

static void on_get_or_load_progress(void *ctx, call_id call, double progress) {
    struct lmws_op *op = ctx;
    (void)call;
    send_progress(op, "loadProgress", progress);
}

static void on_get_or_load_end(void *ctx, call_id call, const struct load_result *result,
                               const struct error *error) {
    struct lmws_op *op = ctx;
    (void)call;
    op->call = 0;
    lmws_op_enter(op);
    if (error) {
        fail_load(op, op->state, error);
    } else if (send_instance(op, result->fresh ? "loadSuccess" : "alreadyLoaded",
                             result->instance->identifier)) {
        lmws_op_close(op);
    } else {
        lmws_op_fail_unloaded(op);
    }
    lmws_op_leave(op);
}

/* An identifier comes first, also of an instance that is still loading; then a model's key. */
static bool demand_name(struct lmws_op *op, yyjson_val *param, struct model_view *ret_model,
                        const char **ret_name) {
    struct lmws_found found;
    const char *name = json_find_str(param, "identifier");
    if (name && lmws_name_find(op->session, name, &found)) {
        *ret_model = *found.model;
        *ret_name = name;
        return true;
    }
    if (!demand_model(op, param, "identifier", ret_model)) return false;
    *ret_name = ret_model->key;
    return true;
}

void lmws_get_or_load(struct lmws_op *op, yyjson_val *param) {
    const struct service *service = op->session->service;
    struct load_request request = LOAD_REQUEST_UNSET;
    struct model_view model;
    struct load_sink sink = { .on_evicting = on_evicting,
                              .on_loading = on_loading,
                              .on_progress = on_get_or_load_progress,
                              .on_end = on_get_or_load_end,
                              .ctx = op };
    if (!demand_name(op, param, &model, &request.model)) return;
    op->state = xstrdup(request.model);
    request.ttl = ttl_read(param, "loadTtlMs");
    lmws_load_config_read(yyjson_obj_get(param, "loadConfigStack"), &model, &request);
    call_id call = service->get_or_load(service->self, &request, sink);
    if (!op->ended) op->call = call;
}

/* ---- unloadModel ---- */

static void on_unloaded(void *ctx, call_id call, const struct load_result *result,
                        const struct error *error) {
    struct lmws_op *op = ctx;
    (void)call;
    (void)result;
    op->call = 0;
    if (error && error->code == ERR_MODEL_NOT_FOUND)
        lmws_op_fail_identifier(op, op->state);
    else if (error)
        lmws_op_fail(op, error);
    else
        lmws_op_done(op);
}

/* Answered when the memory is back, so that what the client does next finds room. */
void lmws_unload_model(struct lmws_op *op, yyjson_val *param) {
    const struct service *service = op->session->service;
    const char *identifier = json_find_str(param, "identifier");
    struct load_sink sink = { .on_end = on_unloaded, .ctx = op };
    op->state = xstrdup(identifier ? identifier : "");
    call_id call = service->unload(service->self, op->state, sink);
    if (!op->ended) op->call = call;
}

/* ---- estimateModelUsage ---- */

static void on_estimated(void *ctx, const struct load_estimate *estimate,
                         const struct error *error) {
    struct lmws_op *op = ctx;
    op->call = 0;
    if (error) {
        lmws_op_fail(op, error);
        return;
    }
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *result = yyjson_mut_obj(doc);
    yyjson_mut_val *memory = yyjson_mut_obj_add_obj(doc, result, "memory");
    yyjson_mut_obj_add_str(doc, memory, "confidence", "high");
    yyjson_mut_obj_add_uint(doc, memory, "modelVramBytes", estimate->model_device);
    yyjson_mut_obj_add_uint(doc, memory, "contextVramBytes", estimate->context_device);
    yyjson_mut_obj_add_uint(doc, memory, "totalVramBytes",
                            estimate->model_device + estimate->context_device);
    yyjson_mut_obj_add_uint(doc, memory, "modelBytes", estimate->model);
    yyjson_mut_obj_add_uint(doc, memory, "contextBytes", estimate->context);
    yyjson_mut_obj_add_uint(doc, memory, "totalBytes", estimate->model + estimate->context);
    yyjson_mut_obj_add_bool(doc, result, "passesGuardrails", estimate->fits);
    lmws_op_result(op, doc, result);
}

void lmws_estimate_usage(struct lmws_op *op, yyjson_val *param) {
    const struct service *service = op->session->service;
    struct load_request request = LOAD_REQUEST_UNSET;
    struct model_view model;
    if (!demand_model(op, param, "modelKey", &model)) return;
    request.model = model.key;
    lmws_load_config_read(yyjson_obj_get(param, "loadConfigStack"), &model, &request);
    struct estimate_sink sink = { .on_end = on_estimated, .ctx = op };
    call_id call = service->estimate(service->self, &request, sink);
    if (!op->ended) op->call = call;
}
