/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "api/lmstudio_ws/internal.h"
#include "api/write.h"
#include "base/xalloc.h"

struct op *op_new(struct lmws_session *session, const struct endpoint *endpoint, int64_t id) {
    struct op *op = xcalloc(1, sizeof *op);
    *op =
        (struct op){ .session = session, .next = session->ops, .endpoint = endpoint, .id = id };
    if (op->next) op->next->prev = op;
    session->ops = op;
    session->op_count++;
    return op;
}

struct op *op_find(struct lmws_session *session, enum op_kind kind, int64_t id) {
    for (struct op *op = session->ops; op; op = op->next) {
        if (op->id == id && op->endpoint->kind == kind) return op;
    }
    return NULL;
}

static void op_free(struct op *op) {
    if (op->clear_state) op->clear_state(op->state);
    free(op->state);
    free(op);
}

void op_enter(struct op *op) {
    op->entered++;
}

void op_leave(struct op *op) {
    if (--op->entered == 0 && op->ended) op_free(op);
}

void op_end(struct op *op) {
    const struct service *service = op->session->service;
    if (op->ended) return;
    op->ended = true;
    op->session->op_count--;
    if (op->prev)
        op->prev->next = op->next;
    else
        op->session->ops = op->next;
    if (op->next) op->next->prev = op->prev;
    op_enter(op);
    if (op->call) service->cancel(service->self, op->call);
    op_leave(op);
}

static yyjson_mut_val *envelope(yyjson_mut_doc *doc, const struct op *op, const char *type) {
    bool rpc = op->endpoint->kind == LMWS_RPC;
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, root);
    yyjson_mut_obj_add_str(doc, root, "type", type);
    yyjson_mut_obj_add_int(doc, root, rpc ? "callId" : "channelId", op->id);
    return root;
}

void op_result(struct op *op, yyjson_mut_doc *doc, yyjson_mut_val *result) {
    yyjson_mut_val *root = envelope(doc, op, "rpcResult");
    if (result) yyjson_mut_obj_add_val(doc, root, "result", result);
    ws_session_send(op->session, doc);
    op_end(op);
}

void op_done(struct op *op) {
    op_result(op, yyjson_mut_doc_new(NULL), NULL);
}

yyjson_mut_val *op_message(yyjson_mut_doc **ret_doc, const char *type) {
    *ret_doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *message = yyjson_mut_obj(*ret_doc);
    yyjson_mut_obj_add_str(*ret_doc, message, "type", type);
    return message;
}

void op_send(struct op *op, yyjson_mut_doc *doc, yyjson_mut_val *message) {
    yyjson_mut_val *root = envelope(doc, op, "channelSend");
    yyjson_mut_obj_add_val(doc, root, "message", message);
    ws_session_send(op->session, doc);
}

void op_close(struct op *op) {
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    envelope(doc, op, "channelClose");
    ws_session_send(op->session, doc);
    op_end(op);
}

void op_error(struct op *op, yyjson_mut_doc *doc, yyjson_mut_val *error) {
    bool rpc = op->endpoint->kind == LMWS_RPC;
    yyjson_mut_val *root = envelope(doc, op, rpc ? "rpcError" : "channelError");
    yyjson_mut_obj_add_val(doc, root, "error", error);
    ws_session_send(op->session, doc);
    op_end(op);
}
