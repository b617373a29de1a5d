/* SPDX-License-Identifier: MIT */
#include "api/lmstudio_ws/op.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/xalloc.h"

bool lmws_session_has_room(const struct lmws_session *session) {
    size_t all = LMWS_OPS_ALL;
    if (session->op_count < LMWS_OPS_FEW) all += LMWS_OPS_RESERVE;
    return session->op_count < LMWS_OPS_MAX && *session->host->ops < all;
}

yyjson_doc *lmws_session_take_message(struct lmws_session *session) {
    yyjson_doc *message = session->message;
    session->message = NULL;
    return message;
}

void lmws_session_wait(struct lmws_session *session) {
    session->waits = true;
}

void lmws_session_go_on(struct lmws_session *session) {
    session->waits = false;
    if (!session->receiving) session->transport.go_on(session->transport.ctx);
}

bool lmws_session_waits(const struct lmws_session *session) {
    return session->waits;
}

struct lmws_op *lmws_op_new(struct lmws_session *session, const struct lmws_endpoint *endpoint,
                            int64_t id) {
    struct lmws_op *op = xcalloc(1, sizeof *op);
    *op = (struct lmws_op){
        .session = session, .next = session->ops, .endpoint = endpoint, .id = id
    };
    if (op->next) op->next->prev = op;
    session->ops = op;
    session->op_count++;
    ++*session->host->ops;
    return op;
}

struct lmws_op *lmws_op_find(struct lmws_session *session, enum lmws_op_kind kind, int64_t id) {
    for (struct lmws_op *op = session->ops; op; op = op->next) {
        if (op->id == id && op->endpoint->kind == kind) return op;
    }
    return NULL;
}

void lmws_op_end(struct lmws_op *op) {
    const struct service *service = op->session->service;
    op->session->op_count--;
    --*op->session->host->ops;
    if (op->watcher) *op->watcher = NULL;
    if (op->prev)
        op->prev->next = op->next;
    else
        op->session->ops = op->next;
    if (op->next) op->next->prev = op->prev;
    if (op->call) service->cancel(service->self, op->call);
    if (op->clear_state) op->clear_state(op->state);
    byte_hold_release(&op->held);
    free(op->state);
    free(op);
}

void lmws_session_send(struct lmws_session *session, yyjson_mut_doc *doc) {
    struct buf json = BUF_INIT(LMWS_REPLY_MAX);
    json_write_end(doc, &json);
    bool speaks = !session->refused && !json.overflowed;
    if (speaks) session->transport.send(session->transport.ctx, buf_str(&json), json.len);
    if (json.overflowed) session->transport.hang_up(session->transport.ctx, "answer too large");
    buf_clear(&json);
}

static yyjson_mut_val *envelope(yyjson_mut_doc *doc, const struct lmws_op *op,
                                const char *type) {
    bool rpc = op->endpoint->kind == LMWS_RPC;
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, root);
    yyjson_mut_obj_add_str(doc, root, "type", type);
    yyjson_mut_obj_add_int(doc, root, rpc ? "callId" : "channelId", op->id);
    return root;
}

void lmws_op_result(struct lmws_op *op, yyjson_mut_doc *doc, yyjson_mut_val *result) {
    yyjson_mut_val *root = envelope(doc, op, "rpcResult");
    if (result) yyjson_mut_obj_add_val(doc, root, "result", result);
    lmws_session_send(op->session, doc);
    lmws_op_end(op);
}

void lmws_op_done(struct lmws_op *op) {
    lmws_op_result(op, yyjson_mut_doc_new(NULL), NULL);
}

yyjson_mut_val *lmws_op_message(yyjson_mut_doc **ret_doc, const char *type) {
    *ret_doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *message = yyjson_mut_obj(*ret_doc);
    yyjson_mut_obj_add_str(*ret_doc, message, "type", type);
    return message;
}

void lmws_op_send(struct lmws_op *op, yyjson_mut_doc *doc, yyjson_mut_val *message) {
    yyjson_mut_val *root = envelope(doc, op, "channelSend");
    yyjson_mut_obj_add_val(doc, root, "message", message);
    lmws_session_send(op->session, doc);
}

void lmws_op_close(struct lmws_op *op) {
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    envelope(doc, op, "channelClose");
    lmws_session_send(op->session, doc);
    lmws_op_end(op);
}

void lmws_op_error(struct lmws_op *op, yyjson_mut_doc *doc, yyjson_mut_val *error) {
    bool rpc = op->endpoint->kind == LMWS_RPC;
    yyjson_mut_val *root = envelope(doc, op, rpc ? "rpcError" : "channelError");
    yyjson_mut_obj_add_val(doc, root, "error", error);
    lmws_session_send(op->session, doc);
    lmws_op_end(op);
}
