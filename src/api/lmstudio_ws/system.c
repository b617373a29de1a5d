/* SPDX-License-Identifier: MIT */
/* system.c - questions about the server, and about LM Studio's online services: those are
 * answered as by a server that is not logged in. */
#include "api/lmstudio_ws/fail.h"
#include "api/lmstudio_ws/handlers.h"
#include "base/json.h"

static yyjson_mut_val *object_new(yyjson_mut_doc **ret_doc) {
    *ret_doc = yyjson_mut_doc_new(NULL);
    return yyjson_mut_obj(*ret_doc);
}

void lmws_system_version(struct lmws_op *op, yyjson_val *param) {
    yyjson_mut_doc *doc;
    yyjson_mut_val *result = object_new(&doc);
    (void)param;
    yyjson_mut_obj_add_str(doc, result, "version", op->session->host->version);
    yyjson_mut_obj_add_int(doc, result, "build", op->session->host->build);
    lmws_op_result(op, doc, result);
}

void lmws_system_info(struct lmws_op *op, yyjson_val *param) {
    yyjson_mut_doc *doc;
    yyjson_mut_val *result = object_new(&doc);
    (void)param;
    yyjson_mut_obj_add_int(doc, result, "pid", op->session->host->pid);
    yyjson_mut_obj_add_bool(doc, result, "isDaemon", true);
    yyjson_mut_obj_add_str(doc, result, "version", op->session->host->version);
    lmws_op_result(op, doc, result);
}

void lmws_system_start_http(struct lmws_op *op, yyjson_val *param) {
    const struct lmws_host *host = op->session->host;
    yyjson_val *port = yyjson_obj_get(param, "port"), *cors = yyjson_obj_get(param, "cors");
    int number = yyjson_is_int(port) ? yyjson_get_int(port) : 0;
    struct error err;
    if (number < 0 || number > 65535) {
        error_set(&err, ERR_INVALID_REQUEST, "'port' must be between 1 and 65535.");
        lmws_op_fail(op, &err);
    } else if (host->http_start(host->self, number, json_find_str(param, "networkInterface"),
                                yyjson_is_bool(cors) ? yyjson_get_bool(cors) : -1, &err)) {
        lmws_op_done(op);
    } else {
        lmws_op_fail(op, &err);
    }
}

void lmws_system_stop_http(struct lmws_op *op, yyjson_val *param) {
    const struct lmws_host *host = op->session->host;
    struct error err;
    (void)param;
    if (host->http_stop(host->self, &err))
        lmws_op_done(op);
    else
        lmws_op_fail(op, &err);
}

/* Answer first: the client waits for it. */
void lmws_system_shutdown(struct lmws_op *op, yyjson_val *param) {
    const struct lmws_host *host = op->session->host;
    (void)param;
    lmws_op_done(op);
    host->shutdown(host->self);
}

void lmws_system_notify(struct lmws_op *op, yyjson_val *param) {
    const struct lmws_host *host = op->session->host;
    const char *title = json_find_str(param, "title");
    host->note(host->self, title ? title : "");
    lmws_op_done(op);
}

/* Stays open until the socket closes. That tells the client that the server has stopped. */
void lmws_system_alive(struct lmws_op *op, yyjson_val *param) {
    (void)op;
    (void)param;
}

void lmws_system_experiment_flags(struct lmws_op *op, yyjson_val *param) {
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    (void)param;
    lmws_op_result(op, doc, yyjson_mut_arr(doc));
}

/* ---- runtime ---- */

void lmws_list_engines(struct lmws_op *op, yyjson_val *param) {
    const struct lmws_engine *engine = &op->session->host->engine;
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *list = yyjson_mut_arr(doc), *entry = yyjson_mut_arr_add_obj(doc, list);
    (void)param;
    yyjson_mut_obj_add_str(doc, entry, "name", engine->name);
    yyjson_mut_obj_add_str(doc, entry, "version", engine->version);
    yyjson_mut_obj_add_str(doc, entry, "engine", "llama.cpp");
    yyjson_mut_obj_add_str(doc, entry, "platform", engine->platform);
    yyjson_mut_val *cpu = yyjson_mut_obj_add_obj(doc, entry, "cpu");
    yyjson_mut_obj_add_str(doc, cpu, "architecture", engine->architecture);
    yyjson_mut_val *extensions = yyjson_mut_obj_add_arr(doc, cpu, "instructionSetExtensions");
    for (size_t i = 0; engine->extensions[i]; i++) {
        yyjson_mut_arr_add_str(doc, extensions, engine->extensions[i]);
    }
    yyjson_mut_val *formats = yyjson_mut_obj_add_arr(doc, entry, "supportedModelFormatNames");
    yyjson_mut_arr_add_str(doc, formats, "GGUF");
    lmws_op_result(op, doc, list);
}

/* A map, as superjson writes it: {"json":[[key, value]...],"meta":{"values":["map"]}}. */
void lmws_engine_selections(struct lmws_op *op, yyjson_val *param) {
    const struct lmws_engine *engine = &op->session->host->engine;
    yyjson_mut_doc *doc;
    yyjson_mut_val *result = object_new(&doc);
    (void)param;
    yyjson_mut_val *map = yyjson_mut_obj_add_arr(doc, result, "json");
    yyjson_mut_val *pair = yyjson_mut_arr_add_arr(doc, map);
    yyjson_mut_arr_add_str(doc, pair, "GGUF");
    yyjson_mut_val *choice = yyjson_mut_arr_add_obj(doc, pair);
    yyjson_mut_obj_add_str(doc, choice, "name", engine->name);
    yyjson_mut_obj_add_str(doc, choice, "version", engine->version);
    yyjson_mut_val *meta = yyjson_mut_obj_add_obj(doc, result, "meta");
    yyjson_mut_arr_add_str(doc, yyjson_mut_obj_add_arr(doc, meta, "values"), "map");
    lmws_op_result(op, doc, result);
}

/* ---- repository ---- */

void lmws_link_status(struct lmws_op *op, yyjson_val *param) {
    yyjson_mut_doc *doc;
    yyjson_mut_val *result = object_new(&doc);
    (void)param;
    yyjson_mut_obj_add_str(doc, result, "status", "offline");
    yyjson_mut_arr_add_str(doc, yyjson_mut_obj_add_arr(doc, result, "issues"), "notLoggedIn");
    yyjson_mut_obj_add_arr(doc, result, "peers");
    yyjson_mut_obj_add_null(doc, result, "deviceIdentifier");
    yyjson_mut_obj_add_str(doc, result, "deviceName", op->session->host->machine);
    lmws_op_result(op, doc, result);
}

void lmws_authentication_status(struct lmws_op *op, yyjson_val *param) {
    yyjson_mut_doc *doc;
    yyjson_mut_val *result = object_new(&doc);
    (void)param;
    yyjson_mut_val *status = yyjson_mut_obj_add_obj(doc, result, "authenticationStatus");
    yyjson_mut_obj_add_str(doc, status, "type", "none");
    lmws_op_result(op, doc, result);
}

void lmws_is_authenticated(struct lmws_op *op, yyjson_val *param) {
    yyjson_mut_doc *doc;
    yyjson_mut_val *result = object_new(&doc);
    (void)param;
    yyjson_mut_obj_add_bool(doc, result, "authenticated", false);
    lmws_op_result(op, doc, result);
}

void lmws_model_catalog(struct lmws_op *op, yyjson_val *param) {
    yyjson_mut_doc *doc;
    yyjson_mut_val *result = object_new(&doc);
    (void)param;
    yyjson_mut_obj_add_arr(doc, result, "models");
    lmws_op_result(op, doc, result);
}
