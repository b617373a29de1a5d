/* SPDX-License-Identifier: MIT */
/* predict.c - predict and completeRawText: a channel's parameters become one request to the
 * instance that they name. */
#include "api/lmstudio_ws/compose.h"
#include "api/lmstudio_ws/fail.h"
#include "api/lmstudio_ws/handlers.h"
#include "api/lmstudio_ws/prediction.h"
#include "api/lmstudio_ws/prediction_config.h"
#include "base/json.h"

/* Begin the op's prediction, and a neutral body with what the stack sets. NULL: the op is
 * ended. */
static yyjson_mut_doc *prepare(struct lmws_op *op, const struct lmws_found *found,
                               yyjson_val *stack, enum lmws_config_use use) {
    struct error err;
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *body = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, body);
    yyjson_mut_val *config = lmws_prediction_config_read(stack, use, &found->instance.sampling,
                                                         doc, body, &err);
    if (config && lmws_prediction_begin(op, found, stack, config, &err)) return doc;
    yyjson_mut_doc_free(doc);
    lmws_op_fail(op, &err);
    return NULL;
}

static struct service_request request_of(const struct lmws_op *op, enum service_op kind,
                                         uint64_t instance, yyjson_mut_doc *body) {
    return (struct service_request){
        .op = kind,
        .instance = instance,
        .client = (uintptr_t)op->session,
        .allowed = allowed_models_copy(op->session->allowed),
        .body = body,
    };
}

/* Takes the request. */
static void generate(struct lmws_op *op, struct service_request *request) {
    const struct service *service = op->session->service;
    struct service_sink sink = { .on_event = lmws_prediction_on_event, .ctx = op };
    op->call = service->generate(service->self, request, sink);
    if (op->session->paused) service->pause(service->self, op->call, true);
}

/* False: it names one, and the op has failed. */
static bool names_no_preset(struct lmws_op *op, yyjson_val *param) {
    const char *preset = json_find_str(param, "fuzzyPresetIdentifier");
    if (preset) lmws_op_fail_preset(op, preset);
    return !preset;
}

void lmws_predict(struct lmws_op *op, yyjson_val *param) {
    struct lmws_found found;
    yyjson_val *stack = yyjson_obj_get(param, "predictionConfigStack");
    struct lmws_history history = { op->session->host, yyjson_obj_get(param, "history"), stack,
                                    .shown = false };
    if (!names_no_preset(op, param)) return;
    if (!lmws_specifier_require(op, yyjson_obj_get(param, "modelSpecifier"), &found)) return;
    uint64_t instance = found.instance.reference;
    yyjson_mut_doc *doc = prepare(op, &found, stack, LMWS_CONFIG_CHAT);
    if (!doc) return;
    yyjson_mut_val *body = yyjson_mut_doc_get_root(doc);
    yyjson_mut_obj_add_str(doc, body, "op", "chat");
    struct service_request request = request_of(op, OP_CHAT, instance, doc);
    lmws_compose(op, &history, &request, generate);
}

static void place_prompt(yyjson_mut_doc *doc, yyjson_mut_val *body, yyjson_mut_val *text) {
    yyjson_mut_obj_add_str(doc, body, "op", "completion");
    yyjson_mut_obj_add_val(doc, body, "prompt", text);
}

/* Only chats can have a response format. A text with one is sent as a chat whose template is
 * the text itself. */
static void place_message(yyjson_mut_doc *doc, yyjson_mut_val *body, yyjson_mut_val *text) {
    yyjson_mut_obj_add_str(doc, body, "op", "chat");
    yyjson_mut_obj_add_str(doc, body, "chat_template", "{{ messages[0]['content'] }}");
    yyjson_mut_val *messages = yyjson_mut_obj_add_arr(doc, body, "messages");
    yyjson_mut_val *message = yyjson_mut_arr_add_obj(doc, messages);
    yyjson_mut_obj_add_str(doc, message, "role", "user");
    yyjson_mut_obj_add_val(doc, message, "content", text);
}

static bool has_form(yyjson_mut_val *body) {
    return yyjson_mut_obj_get(body, "response_format") || yyjson_mut_obj_get(body, "grammar");
}

void lmws_complete_raw_text(struct lmws_op *op, yyjson_val *param) {
    struct lmws_found found;
    struct error err;
    yyjson_val *stack = yyjson_obj_get(param, "predictionConfigStack");
    yyjson_val *prompt = yyjson_obj_get(param, "rawPrompt");
    if (!names_no_preset(op, param)) return;
    if (!lmws_specifier_require(op, yyjson_obj_get(param, "modelSpecifier"), &found)) return;
    if (!yyjson_is_str(prompt)) {
        error_set(&err, ERR_INVALID_REQUEST, "'rawPrompt' must be a string.");
        lmws_op_fail(op, &err);
        return;
    }
    uint64_t instance = found.instance.reference;
    yyjson_mut_doc *doc = prepare(op, &found, stack, LMWS_CONFIG_TEXT);
    if (!doc) return;
    bool formed = has_form(yyjson_mut_doc_get_root(doc));
    enum service_op kind = formed ? OP_CHAT : OP_COMPLETION;
    struct service_request request = request_of(op, kind, instance, doc);
    lmws_compose_text(op, prompt, formed ? place_message : place_prompt, &request, generate);
}

void lmws_predict_message(struct lmws_op *op, yyjson_val *message) {
    if (yyjson_equals_str(yyjson_obj_get(message, "type"), "cancel")) {
        lmws_prediction_cancel(op);
    }
}
