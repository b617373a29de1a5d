/* SPDX-License-Identifier: MIT */
/* predict.c - predict and completeRawText: a channel's parameters become one request to
 * the instance they name. */
#include <stdlib.h>
#include <string.h>

#include "api/lmstudio_ws/config.h"
#include "api/lmstudio_ws/fail.h"
#include "api/lmstudio_ws/find.h"
#include "api/lmstudio_ws/handlers.h"
#include "api/lmstudio_ws/history.h"
#include "api/lmstudio_ws/info.h"
#include "api/lmstudio_ws/prediction.h"
#include "api/lmstudio_ws/prediction_config.h"
#include "base/json.h"
#include "base/xalloc.h"

static char *text_of(yyjson_mut_doc *doc, yyjson_mut_val *val) {
    struct buf json = BUF_INIT(LMWS_REPLY_MAX);
    yyjson_mut_doc_set_root(doc, val);
    json_write(doc, &json);
    yyjson_mut_doc_free(doc);
    return buf_take(&json);
}

/* What success will tell: as it is now, for the instance may be gone by then. */
static struct lmws_prediction *prediction_new(const struct lmws_session *session,
                                              const struct lmws_found *found,
                                              yyjson_val *stack) {
    struct lmws_prediction *p = xcalloc(1, sizeof *p);
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    p->model_info = text_of(
        doc, lmws_instance_info(doc, session->host, found->model, found->instance));
    doc = yyjson_mut_doc_new(NULL);
    p->gpu_layers = found->instance->gpu_layers;
    p->load_config = text_of(doc, lmws_load_config_format(doc, found->model, found->instance));
    yyjson_val *parsing = lmws_config_find(stack, "llm.prediction.reasoning.parsing");
    yyjson_val *apart = yyjson_obj_get(parsing, "enabled");
    p->reasoning_apart = !yyjson_is_bool(apart) || yyjson_get_bool(apart);
    const char *start = json_find_str(parsing, "startString"),
               *end = json_find_str(parsing, "endString");
    if (p->reasoning_apart && start && *start && end && *end)
        lmws_tags_init(&p->tags, start, end);
    buf_init(&p->call, LMWS_REPLY_MAX);
    return p;
}

static void begin_prediction(struct lmws_op *op, enum service_op kind, yyjson_mut_doc *body,
                             uint64_t instance) {
    const struct service *service = op->session->service;
    struct service_request request = { .op = kind, .instance = instance, .body = body };
    struct service_sink sink = { .on_event = lmws_prediction_on_event, .ctx = op };
    call_id call = service->generate(service->self, &request, sink);
    if (op->ended) return;
    op->call = call;
    if (op->session->paused) service->pause(service->self, call, true);
}

/* Prepare the op, and what its configuration makes of a body. NULL: the op is ended. */
static yyjson_mut_doc *body_new(struct lmws_op *op, const struct lmws_found *found,
                                yyjson_val *stack, enum lmws_config_use use) {
    struct error err;
    struct lmws_prediction *p = prediction_new(op->session, found, stack);
    op->state = p;
    op->clear_state = lmws_prediction_clear;
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *body = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, body);
    yyjson_mut_val *config = lmws_prediction_config_read(stack, use, &found->instance->sampling,
                                                         doc, body, &err);
    if (!config) {
        yyjson_mut_doc_free(doc);
        lmws_op_fail(op, &err);
        return NULL;
    }
    yyjson_mut_doc *copy = yyjson_mut_doc_new(NULL);
    p->prediction_config = text_of(copy, yyjson_mut_val_mut_copy(copy, config));
    return doc;
}

void lmws_predict(struct lmws_op *op, yyjson_val *param) {
    struct lmws_found found;
    struct error err = { 0 };
    yyjson_val *stack = yyjson_obj_get(param, "predictionConfigStack");
    if (!lmws_specifier_demand(op, yyjson_obj_get(param, "modelSpecifier"), &found)) return;
    uint64_t instance = found.instance->reference;
    yyjson_mut_doc *doc = body_new(op, &found, stack, LMWS_CONFIG_CHAT);
    if (!doc) return;
    yyjson_mut_val *body = yyjson_mut_doc_get_root(doc);
    yyjson_mut_obj_add_str(doc, body, "op", "chat");
    if (!lmws_history_read(op->session->host, yyjson_obj_get(param, "history"), stack, doc,
                           body, &err)) {
        yyjson_mut_doc_free(doc);
        lmws_op_fail(op, &err);
        return;
    }
    begin_prediction(op, OP_CHAT, doc, instance);
}

/* A demanded format belongs to chats: then the text is a chat whose template is the text
 * itself. */
static enum service_op set_prompt(yyjson_mut_doc *doc, yyjson_mut_val *body,
                                  yyjson_val *prompt) {
    bool formed = yyjson_mut_obj_get(body, "response_format") ||
                  yyjson_mut_obj_get(body, "grammar");
    yyjson_mut_val *text = yyjson_val_mut_copy(doc, prompt);
    if (!formed) {
        yyjson_mut_obj_add_str(doc, body, "op", "completion");
        yyjson_mut_obj_add_val(doc, body, "prompt", text);
        return OP_COMPLETION;
    }
    yyjson_mut_obj_add_str(doc, body, "op", "chat");
    yyjson_mut_obj_add_str(doc, body, "chat_template", "{{ messages[0]['content'] }}");
    yyjson_mut_val *messages = yyjson_mut_obj_add_arr(doc, body, "messages");
    yyjson_mut_val *message = yyjson_mut_arr_add_obj(doc, messages);
    yyjson_mut_obj_add_str(doc, message, "role", "user");
    yyjson_mut_obj_add_val(doc, message, "content", text);
    return OP_CHAT;
}

void lmws_complete_raw_text(struct lmws_op *op, yyjson_val *param) {
    struct lmws_found found;
    struct error err;
    yyjson_val *stack = yyjson_obj_get(param, "predictionConfigStack");
    yyjson_val *prompt = yyjson_obj_get(param, "rawPrompt");
    if (!lmws_specifier_demand(op, yyjson_obj_get(param, "modelSpecifier"), &found)) return;
    if (!yyjson_is_str(prompt)) {
        error_set(&err, ERR_INVALID_REQUEST, "'rawPrompt' must be a string.");
        lmws_op_fail(op, &err);
        return;
    }
    uint64_t instance = found.instance->reference;
    yyjson_mut_doc *doc = body_new(op, &found, stack, LMWS_CONFIG_TEXT);
    if (!doc) return;
    enum service_op kind = set_prompt(doc, yyjson_mut_doc_get_root(doc), prompt);
    begin_prediction(op, kind, doc, instance);
}

void lmws_predict_message(struct lmws_op *op, yyjson_val *message) {
    if (yyjson_equals_str(yyjson_obj_get(message, "type"), "cancel"))
        lmws_prediction_cancel(op);
}
