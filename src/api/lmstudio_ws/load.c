/* SPDX-License-Identifier: MIT */
/* load.c - loads, unloads and estimates, each by one call of the service. */
#include <math.h>
#include <stdlib.h>

#include "api/lmstudio_ws/config.h"
#include "api/lmstudio_ws/fail.h"
#include "api/lmstudio_ws/find.h"
#include "api/lmstudio_ws/handlers.h"
#include "api/lmstudio_ws/info.h"
#include "base/json.h"
#include "base/no_model.h"
#include "base/xalloc.h"

/* Milliseconds, at least 1; anything else counts as not given. */
static struct ttl ttl_read(yyjson_val *param, const char *name) {
    double ms = yyjson_get_num(yyjson_obj_get(param, name));
    double most = 10.0 * 365 * 86400 * 1000;
    if (!(ms > 0)) return (struct ttl){ 0 };
    return (struct ttl){ .given = true, .value = (msec)ceil(ms < most ? ms : most) };
}

/* The model that the client names, if it is of the session's kind; else the op is ended. */
static bool require_model(struct lmws_op *op, yyjson_val *param, const char *name,
                          struct model_view *ret_model) {
    struct error err;
    const char *key = json_find_str(param, name);
    if (!key || !*key) {
        error_set(&err, ERR_INVALID_REQUEST, "'%s' is missing; send the key of a model.", name);
        lmws_op_fail(op, &err);
    } else if (!lmws_key_find(op->session, key, ret_model)) {
        error_no_model(&err, name, key, NULL);
        lmws_op_fail_path(op, key, &err);
    } else if (!lmws_model_in_namespace(ret_model, op->session->ns)) {
        lmws_op_fail_domain(op, ret_model);
    } else {
        return true;
    }
    return false;
}

/* ---- messages of both kinds of load ---- */

/* The message types of an endpoint. */
struct load_types {
    const char *progress, *loaded, *found;
};

/* State of an op that loads. */
struct load {
    const struct load_types *types;
    char *name; /* that the client asked for */
};

static void load_clear(void *state) {
    free(((struct load *)state)->name);
}

static void load_begin(struct lmws_op *op, const struct load_types *types, const char *name) {
    struct load *load = xcalloc(1, sizeof *load);
    *load = (struct load){ types, xstrdup(name) };
    op->state = load;
    op->clear_state = load_clear;
}

static void load_send(struct lmws_op *op, const char *type, const struct model_view *model,
                      const struct instance_view *instance) {
    yyjson_mut_doc *doc;
    yyjson_mut_val *message = lmws_op_message(&doc, type);
    yyjson_mut_val *info = instance
                               ? lmws_instance_info(doc, op->session->host, model, instance)
                               : lmws_model_info(doc, model);
    yyjson_mut_obj_add_val(doc, message, "info", info);
    lmws_op_send(op, doc, message);
}

static void load_on_progress(void *ctx, call_id call, double progress) {
    struct lmws_op *op = ctx;
    const struct load *load = op->state;
    (void)call;
    yyjson_mut_doc *doc;
    yyjson_mut_val *message = lmws_op_message(&doc, load->types->progress);
    yyjson_mut_obj_add_real(doc, message, "progress", progress);
    lmws_op_send(op, doc, message);
}

static void load_fail(struct lmws_op *op, const struct error *err) {
    const struct load *load = op->state;
    if (err->code == ERR_MODEL_NOT_FOUND) {
        lmws_op_fail_path(op, load->name, err);
    } else {
        lmws_op_fail(op, err);
    }
}

/* The instance may be gone again by now. */
static void load_succeed(struct lmws_op *op, const struct load_result *result) {
    const struct load *load = op->state;
    struct lmws_found found;
    if (!lmws_reference_find(op->session, result->instance->reference, &found)) {
        lmws_op_fail_unloaded(op);
        return;
    }
    load_send(op, result->fresh ? load->types->loaded : load->types->found, &found.model,
              &found.instance);
    lmws_op_close(op);
}

static void load_on_end(void *ctx, call_id call, const struct load_result *result,
                        const struct error *error) {
    struct lmws_op *op = ctx;
    (void)call;
    op->call = 0;
    if (error) {
        load_fail(op, error);
    } else {
        load_succeed(op, result);
    }
}

/* The client cancels. The load goes on if others wait for it. */
void lmws_load_message(struct lmws_op *op, yyjson_val *message) {
    if (yyjson_equals_str(yyjson_obj_get(message, "type"), "cancel")) lmws_op_close(op);
}

/* ---- loadModel ---- */

void lmws_load_model(struct lmws_op *op, yyjson_val *param) {
    static const struct load_types types = { "progress", "success", "success" };
    const struct service *service = op->session->service;
    struct load_request request = LOAD_REQUEST_UNSET;
    struct load_sink sink = { .on_progress = load_on_progress,
                              .on_end = load_on_end,
                              .ctx = op };
    struct model_view model;
    if (!require_model(op, param, "modelKey", &model)) return;
    request.model = model.key;
    request.identifier = json_find_str(param, "identifier");
    request.ttl = ttl_read(param, "ttlMs");
    lmws_load_config_read(yyjson_obj_get(param, "loadConfigStack"), &model, &request.settings);
    load_begin(op, &types, model.key);
    load_send(op, "resolved", &model, NULL);
    op->call = service->load(service->self, &request, sink);
}

/* ---- getOrLoad ---- */

static void load_on_evicting(void *ctx, call_id call, const struct instance_view *victim) {
    struct lmws_op *op = ctx;
    const struct service *service = op->session->service;
    struct model_view model;
    (void)call;
    if (!service->find_model(service->self, victim->model_key, &model)) return;
    load_send(op, "unloadingOtherJITModel", &model, victim);
}

static void load_on_loading(void *ctx, call_id call, const struct instance_view *instance) {
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

/* An identifier comes first, also of an instance that is still loading; then a model's key. */
static bool require_name(struct lmws_op *op, yyjson_val *param, struct model_view *ret_model,
                         const char **ret_name) {
    struct lmws_found found;
    const char *name = json_find_str(param, "identifier");
    if (name && lmws_identifier_find(op->session, name, &found)) {
        *ret_model = found.model;
        *ret_name = name;
        return true;
    }
    if (!require_model(op, param, "identifier", ret_model)) return false;
    *ret_name = ret_model->key;
    return true;
}

void lmws_get_or_load(struct lmws_op *op, yyjson_val *param) {
    static const struct load_types types = { "loadProgress", "loadSuccess", "alreadyLoaded" };
    const struct service *service = op->session->service;
    struct load_request request = LOAD_REQUEST_UNSET;
    struct model_view model;
    struct load_sink sink = { .on_evicting = load_on_evicting,
                              .on_loading = load_on_loading,
                              .on_progress = load_on_progress,
                              .on_end = load_on_end,
                              .ctx = op };
    if (!require_name(op, param, &model, &request.model)) return;
    request.ttl = ttl_read(param, "loadTtlMs");
    request.allowed = op->session->allowed;
    lmws_load_config_read(yyjson_obj_get(param, "loadConfigStack"), &model, &request.settings);
    load_begin(op, &types, request.model);
    op->call = service->get_or_load(service->self, &request, sink);
}

/* ---- unloadModel ---- */

static void unload_on_end(void *ctx, const struct error *error) {
    struct lmws_op *op = ctx;
    op->call = 0;
    if (!error) {
        lmws_op_done(op);
    } else if (error->code == ERR_MODEL_NOT_FOUND) {
        lmws_op_fail_identifier(op, op->state);
    } else {
        lmws_op_fail(op, error);
    }
}

/* Answered when the memory is free, so that the client's next load finds room. */
void lmws_unload_model(struct lmws_op *op, yyjson_val *param) {
    const struct service *service = op->session->service;
    const char *identifier = json_find_str(param, "identifier");
    struct done_sink sink = { .on_end = unload_on_end, .ctx = op };
    op->state = xstrdup(identifier ? identifier : "");
    op->call = service->unload(service->self, op->state, sink);
}

/* ---- estimateModelUsage ---- */

static void estimate_on_end(void *ctx, const struct load_estimate *estimate,
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
    if (!require_model(op, param, "modelKey", &model)) return;
    request.model = model.key;
    lmws_load_config_read(yyjson_obj_get(param, "loadConfigStack"), &model, &request.settings);
    struct estimate_sink sink = { .on_end = estimate_on_end, .ctx = op };
    op->call = service->estimate(service->self, &request, sink);
}
