/* SPDX-License-Identifier: MIT */
/* text.c - questions about texts: tokens, templates, vectors. One request, one
 * answer. */
#include <math.h>

#include "api/lmstudio_ws/config.h"
#include "api/lmstudio_ws/fail.h"
#include "api/lmstudio_ws/find.h"
#include "api/lmstudio_ws/handlers.h"
#include "api/lmstudio_ws/history.h"
#include "api/lmstudio_ws/prediction_config.h"
#include "base/json.h"
#include "base/xalloc.h"

/* The value of the answer; ends the op. */
typedef void answer_fn(struct lmws_op *op, const struct service_event *ev);

static void ask(struct lmws_op *op, yyjson_val *specifier, enum service_op kind,
                yyjson_mut_doc *body,
                void (*on_event)(void *ctx, call_id call, const struct service_event *ev)) {
    const struct service *service = op->session->service;
    struct lmws_found found;
    if (!lmws_specifier_demand(op, specifier, &found)) {
        yyjson_mut_doc_free(body);
        return;
    }
    struct service_request request = { .op = kind,
                                       .instance = found.instance->reference,
                                       .body = body };
    struct service_sink sink = { .on_event = on_event, .ctx = op };
    call_id call = service->generate(service->self, &request, sink);
    if (!op->ended) op->call = call;
}

static void take(void *ctx, const struct service_event *ev, answer_fn *answer) {
    struct lmws_op *op = ctx;
    bool last = ev->kind == SERVICE_DONE || ev->kind == SERVICE_ERROR;
    if (last) op->call = 0;
    lmws_op_enter(op);
    if (ev->kind == SERVICE_ERROR)
        lmws_op_fail(op, ev->error);
    else if (ev->kind == SERVICE_DONE)
        answer(op, ev);
    lmws_op_leave(op);
}

static yyjson_mut_doc *body_new(const char *op, yyjson_mut_val **ret_body) {
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    *ret_body = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, *ret_body);
    yyjson_mut_obj_add_str(doc, *ret_body, "op", op);
    return doc;
}

/* Ends the op with an error if there is no string of that name. */
static yyjson_val *demand_text(struct lmws_op *op, yyjson_val *param, const char *name) {
    struct error err;
    yyjson_val *text = yyjson_obj_get(param, name);
    if (yyjson_is_str(text)) return text;
    error_set(&err, ERR_INVALID_REQUEST, "'%s' must be a string.", name);
    lmws_op_fail(op, &err);
    return NULL;
}

/* ---- tokens ---- */

static void ask_tokens(struct lmws_op *op, yyjson_val *param,
                       void (*on_event)(void *ctx, call_id call,
                                        const struct service_event *ev)) {
    yyjson_mut_val *body;
    yyjson_val *text = demand_text(op, param, "inputString");
    if (!text) return;
    yyjson_mut_doc *doc = body_new("tokenize", &body);
    yyjson_mut_obj_add_val(doc, body, "text", yyjson_val_mut_copy(doc, text));
    yyjson_mut_obj_add_bool(doc, body, "add_special", false);
    yyjson_mut_obj_add_bool(doc, body, "parse_special", true);
    ask(op, yyjson_obj_get(param, "specifier"), OP_TOKENIZE, doc, on_event);
}

static void answer_tokens(struct lmws_op *op, const struct service_event *ev) {
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *result = yyjson_mut_obj(doc);
    yyjson_val *tokens = yyjson_obj_get(ev->result, "tokens");
    yyjson_mut_val *copy = tokens ? yyjson_val_mut_copy(doc, tokens) : yyjson_mut_arr(doc);
    yyjson_mut_obj_add_val(doc, result, "tokens", copy);
    lmws_op_result(op, doc, result);
}

static void on_tokens(void *ctx, call_id call, const struct service_event *ev) {
    (void)call;
    take(ctx, ev, answer_tokens);
}

void lmws_tokenize(struct lmws_op *op, yyjson_val *param) {
    ask_tokens(op, param, on_tokens);
}

static void answer_count(struct lmws_op *op, const struct service_event *ev) {
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *result = yyjson_mut_obj(doc);
    yyjson_mut_obj_add_uint(doc, result, "tokenCount",
                            yyjson_arr_size(yyjson_obj_get(ev->result, "tokens")));
    lmws_op_result(op, doc, result);
}

static void on_count(void *ctx, call_id call, const struct service_event *ev) {
    (void)call;
    take(ctx, ev, answer_count);
}

void lmws_count_tokens(struct lmws_op *op, yyjson_val *param) {
    ask_tokens(op, param, on_count);
}

/* ---- the prompt that a conversation becomes ---- */

static void answer_template(struct lmws_op *op, const struct service_event *ev) {
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *result = yyjson_mut_obj(doc);
    yyjson_val *prompt = yyjson_obj_get(ev->result, "prompt");
    yyjson_mut_obj_add_val(doc, result, "formatted",
                           prompt ? yyjson_val_mut_copy(doc, prompt) : yyjson_mut_str(doc, ""));
    lmws_op_result(op, doc, result);
}

static void on_template(void *ctx, call_id call, const struct service_event *ev) {
    (void)call;
    take(ctx, ev, answer_template);
}

void lmws_apply_template(struct lmws_op *op, yyjson_val *param) {
    static const struct sampling_view unknown; /* nothing is predicted */
    struct error err = { 0 };
    yyjson_mut_val *body;
    yyjson_val *stack = yyjson_obj_get(param, "predictionConfigStack");
    yyjson_val *opts = yyjson_obj_get(param, "opts");
    yyjson_val *tools = yyjson_obj_get(opts, "toolDefinitions");
    yyjson_mut_doc *doc = body_new("template", &body);
    if (!lmws_prediction_config_read(stack, LMWS_CONFIG_CHAT, &unknown, doc, body, &err) ||
        !lmws_history_read(op->session->host, yyjson_obj_get(param, "history"), stack, doc,
                           body, &err)) {
        yyjson_mut_doc_free(doc);
        lmws_op_fail(op, &err);
        return;
    }
    if (yyjson_arr_size(tools) > 0) {
        yyjson_mut_obj_remove_key(body, "tools");
        yyjson_mut_obj_add_val(doc, body, "tools", yyjson_val_mut_copy(doc, tools));
    }
    bool no_bos = yyjson_get_bool(yyjson_obj_get(opts, "omitBosToken"));
    bool no_eos = yyjson_get_bool(yyjson_obj_get(opts, "omitEosToken"));
    yyjson_mut_obj_add_bool(doc, body, "bos", !no_bos);
    yyjson_mut_obj_add_bool(doc, body, "eos", !no_eos);
    ask(op, yyjson_obj_get(param, "specifier"), OP_TEMPLATE, doc, on_template);
}

/* ---- vectors ---- */

/* The vector comes before the end; the answer goes out at the end. */
struct vector {
    yyjson_mut_doc *doc;
    yyjson_mut_val *result;
};

static void vector_clear(void *vector) {
    yyjson_mut_doc_free(((struct vector *)vector)->doc);
}

static void keep_vector(struct lmws_op *op, const struct service_event *ev) {
    struct vector *v = op->state;
    yyjson_mut_doc_free(v->doc);
    v->doc = yyjson_mut_doc_new(NULL);
    v->result = yyjson_mut_obj(v->doc);
    yyjson_mut_val *numbers = yyjson_mut_obj_add_arr(v->doc, v->result, "embedding");
    for (size_t i = 0; i < ev->vector_len; i++) {
        double n = (double)ev->vector[i];
        yyjson_mut_arr_add_real(v->doc, numbers, isfinite(n) ? n : 0);
    }
}

static void answer_vector(struct lmws_op *op, const struct service_event *ev) {
    struct vector *v = op->state;
    struct error err;
    yyjson_mut_doc *doc = v->doc;
    (void)ev;
    v->doc = NULL;
    if (doc) {
        lmws_op_result(op, doc, v->result);
        return;
    }
    error_set(&err, ERR_INTERNAL, "The model gave no vector for this text.");
    lmws_op_fail(op, &err);
}

static void on_vector(void *ctx, call_id call, const struct service_event *ev) {
    (void)call;
    if (ev->kind == SERVICE_VECTOR)
        keep_vector(ctx, ev);
    else
        take(ctx, ev, answer_vector);
}

void lmws_embed_string(struct lmws_op *op, yyjson_val *param) {
    yyjson_mut_val *body;
    yyjson_val *text = demand_text(op, param, "inputString");
    if (!text) return;
    op->state = xcalloc(1, sizeof(struct vector));
    op->clear_state = vector_clear;
    yyjson_mut_doc *doc = body_new("embedding", &body);
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, body, "input");
    yyjson_mut_arr_append(list, yyjson_val_mut_copy(doc, text));
    ask(op, yyjson_obj_get(param, "modelSpecifier"), OP_EMBEDDING, doc, on_vector);
}
