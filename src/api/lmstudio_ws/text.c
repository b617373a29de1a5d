/* SPDX-License-Identifier: MIT */
/* text.c - what a model makes of a text: tokens, a prompt, a vector. One request to the
 * service, one rpcResult. */
#include <math.h>

#include "api/lmstudio_ws/compose.h"
#include "api/lmstudio_ws/fail.h"
#include "api/lmstudio_ws/find.h"
#include "api/lmstudio_ws/handlers.h"
#include "api/lmstudio_ws/prediction_config.h"
#include "api/write.h"
#include "base/json.h"
#include "base/xalloc.h"

/* Adds to the result what the event SERVICE_DONE has of it. */
typedef void answer_fn(yyjson_mut_doc *doc, yyjson_mut_val *result, yyjson_val *from);

struct question {
    answer_fn *answer;   /* NULL: the vector, which comes before SERVICE_DONE, is the answer */
    yyjson_mut_doc *doc; /* its root is the result; NULL: sent */
};

static void question_clear(void *state) {
    yyjson_mut_doc_free(((struct question *)state)->doc);
}

static void question_on_vector(struct question *q, const struct service_event *ev) {
    yyjson_mut_val *result = yyjson_mut_doc_get_root(q->doc);
    yyjson_mut_val *numbers = yyjson_mut_obj_add_arr(q->doc, result, "embedding");
    for (size_t i = 0; i < ev->vector_len; i++) {
        double n = (double)ev->vector[i];
        yyjson_mut_arr_add_real(q->doc, numbers, isfinite(n) ? n : 0);
    }
}

static void question_on_done(struct lmws_op *op, const struct service_event *ev) {
    struct question *q = op->state;
    struct error err;
    yyjson_mut_val *result = yyjson_mut_doc_get_root(q->doc);
    if (q->answer) q->answer(q->doc, result, ev->result);
    if (yyjson_mut_obj_size(result) == 0) {
        error_set(&err, ERR_INTERNAL, "The model returned no vector for this text.");
        lmws_op_fail(op, &err);
        return;
    }
    yyjson_mut_doc *doc = q->doc;
    q->doc = NULL;
    lmws_op_result(op, doc, result);
}

static void question_on_event(void *ctx, call_id call, const struct service_event *ev) {
    struct lmws_op *op = ctx;
    (void)call;
    if (ev->kind == SERVICE_VECTOR) { /* one, as there is one input */
        question_on_vector(op->state, ev);
    } else if (ev->kind == SERVICE_DONE) {
        op->call = 0;
        question_on_done(op, ev);
    } else if (ev->kind == SERVICE_ERROR) {
        op->call = 0;
        lmws_op_fail(op, ev->error);
    }
}

static yyjson_mut_doc *body_new(const char *op, yyjson_mut_val **ret_body) {
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    *ret_body = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, *ret_body);
    yyjson_mut_obj_add_str(doc, *ret_body, "op", op);
    return doc;
}

/* Takes the request. */
static void ask(struct lmws_op *op, struct service_request *request) {
    const struct service *service = op->session->service;
    struct service_sink sink = { .on_event = question_on_event, .ctx = op };
    op->call = service->generate(service->self, request, sink);
}

/* Makes the question the op's state. Takes the body. False: the op is ended. */
static bool question_begin(struct lmws_op *op, yyjson_val *specifier, enum service_op kind,
                           yyjson_mut_doc *body, answer_fn *answer,
                           struct service_request *ret) {
    struct lmws_found found;
    if (!lmws_specifier_require(op, specifier, &found)) {
        yyjson_mut_doc_free(body);
        return false;
    }
    struct question *q = xcalloc(1, sizeof *q);
    q->answer = answer;
    q->doc = answer_new();
    op->state = q;
    op->clear_state = question_clear;
    *ret = (struct service_request){ .op = kind,
                                     .instance = found.instance.reference,
                                     .client = (uintptr_t)op->session,
                                     .allowed = allowed_models_copy(op->session->allowed),
                                     .body = body };
    return true;
}

/* Ends the op with an error, and gives NULL, if inputString is no string. */
static yyjson_val *require_text(struct lmws_op *op, yyjson_val *param) {
    struct error err;
    yyjson_val *text = yyjson_obj_get(param, "inputString");
    if (yyjson_is_str(text)) return text;
    error_set(&err, ERR_INVALID_REQUEST, "'inputString' must be a string.");
    lmws_op_fail(op, &err);
    return NULL;
}

/* ---- tokens ---- */

static void place_text(yyjson_mut_doc *doc, yyjson_mut_val *body, yyjson_mut_val *text) {
    yyjson_mut_obj_add_val(doc, body, "text", text);
}

/* marked: with the marks that the tokenizer adds at both ends. */
static void ask_tokens(struct lmws_op *op, yyjson_val *param, bool marked, answer_fn *answer) {
    struct service_request request;
    yyjson_mut_val *body;
    yyjson_val *text = require_text(op, param);
    if (!text) return;
    yyjson_mut_doc *doc = body_new("tokenize", &body);
    yyjson_mut_obj_add_bool(doc, body, "add_special", marked);
    yyjson_mut_obj_add_bool(doc, body, "parse_special", true);
    if (question_begin(op, yyjson_obj_get(param, "specifier"), OP_TOKENIZE, doc, answer,
                       &request))
        lmws_compose_text(op, text, place_text, &request, ask);
}

/* A long text has millions, of which a tree would be slow. */
static void answer_tokens(yyjson_mut_doc *doc, yyjson_mut_val *result, yyjson_val *from) {
    yyjson_val *tokens = yyjson_obj_get(from, "tokens");
    struct buf list = BUF_INIT(LMWS_REPLY_MAX);
    if (!tokens || !json_write_val(tokens, &list)) (void)buf_add_str(&list, "[]");
    yyjson_mut_obj_add_val(doc, result, "tokens",
                           yyjson_mut_rawncpy(doc, buf_str(&list), list.len));
    buf_clear(&list);
}

void lmws_tokenize(struct lmws_op *op, yyjson_val *param) {
    /* As in LM Studio: the marks of an embedding model are here, and not in the count. */
    ask_tokens(op, param, op->session->ns == LMWS_EMBEDDING, answer_tokens);
}

static void answer_token_count(yyjson_mut_doc *doc, yyjson_mut_val *result, yyjson_val *from) {
    yyjson_mut_obj_add_uint(doc, result, "tokenCount",
                            yyjson_arr_size(yyjson_obj_get(from, "tokens")));
}

void lmws_count_tokens(struct lmws_op *op, yyjson_val *param) {
    ask_tokens(op, param, false, answer_token_count);
}

/* ---- the prompt that a conversation becomes ---- */

static void answer_prompt(yyjson_mut_doc *doc, yyjson_mut_val *result, yyjson_val *from) {
    yyjson_val *prompt = yyjson_obj_get(from, "prompt");
    yyjson_mut_obj_add_val(doc, result, "formatted",
                           prompt ? yyjson_val_mut_copy(doc, prompt) : yyjson_mut_str(doc, ""));
}

static void add_template_options(yyjson_mut_doc *doc, yyjson_mut_val *body, yyjson_val *opts) {
    yyjson_val *tools = yyjson_obj_get(opts, "toolDefinitions");
    bool no_bos = yyjson_get_bool(yyjson_obj_get(opts, "omitBosToken"));
    bool no_eos = yyjson_get_bool(yyjson_obj_get(opts, "omitEosToken"));
    if (yyjson_arr_size(tools) > 0) {
        yyjson_mut_obj_remove_key(body, "tools");
        yyjson_mut_obj_add_val(doc, body, "tools", yyjson_val_mut_copy(doc, tools));
    }
    yyjson_mut_obj_add_bool(doc, body, "bos", !no_bos);
    yyjson_mut_obj_add_bool(doc, body, "eos", !no_eos);
}

void lmws_apply_template(struct lmws_op *op, yyjson_val *param) {
    static const struct sampling_view unknown; /* nothing is predicted */
    struct error err;
    struct service_request request;
    yyjson_mut_val *body;
    yyjson_val *stack = yyjson_obj_get(param, "predictionConfigStack");
    struct lmws_history history = { op->session->host, yyjson_obj_get(param, "history"), stack,
                                    .shown = true };
    yyjson_mut_doc *doc = body_new("template", &body);
    if (!lmws_prediction_config_read(stack, LMWS_CONFIG_CHAT, &unknown, doc, body, &err)) {
        yyjson_mut_doc_free(doc);
        lmws_op_fail(op, &err);
        return;
    }
    add_template_options(doc, body, yyjson_obj_get(param, "opts"));
    if (question_begin(op, yyjson_obj_get(param, "specifier"), OP_TEMPLATE, doc, answer_prompt,
                       &request))
        lmws_compose(op, &history, &request, ask);
}

/* ---- vectors ---- */

static void place_input(yyjson_mut_doc *doc, yyjson_mut_val *body, yyjson_mut_val *text) {
    yyjson_mut_arr_append(yyjson_mut_obj_add_arr(doc, body, "input"), text);
}

void lmws_embed_string(struct lmws_op *op, yyjson_val *param) {
    struct service_request request;
    yyjson_mut_val *body;
    yyjson_val *text = require_text(op, param);
    if (!text) return;
    yyjson_mut_doc *doc = body_new("embedding", &body);
    if (question_begin(op, yyjson_obj_get(param, "modelSpecifier"), OP_EMBEDDING, doc, NULL,
                       &request))
        lmws_compose_text(op, text, place_input, &request, ask);
}
