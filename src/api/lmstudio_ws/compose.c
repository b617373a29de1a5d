/* SPDX-License-Identifier: MIT */
#include "api/lmstudio_ws/compose.h"

#include <stdlib.h>

#include "api/lmstudio_ws/fail.h"
#include "base/xalloc.h"

struct composition {
    struct lmws_op *op; /* NULL: it has ended */
    const struct lmws_host *host;
    yyjson_doc *message;
    struct lmws_history history;
    yyjson_val *text; /* instead of a history */
    lmws_place_fn *place;
    struct service_request request;
    lmws_begin_fn *begin;
    struct byte_hold held; /* for the message */
    bool ok;
    struct error err;
};

static void composition_free(struct composition *c) {
    lmws_history_release(&c->history);
    service_request_clear(&c->request);
    byte_hold_release(&c->held);
    yyjson_doc_free(c->message);
    free(c);
}

/* The text is not copied: the message stays until the request is sealed. */
static bool fill(struct composition *c) {
    yyjson_mut_doc *doc = c->request.body;
    yyjson_mut_val *body = yyjson_mut_doc_get_root(doc);
    if (!c->place) return lmws_history_read(&c->history, doc, body, &c->err);
    c->place(doc, body, yyjson_mut_strn(doc, yyjson_get_str(c->text), yyjson_get_len(c->text)));
    return true;
}

/* On the host's thread, perhaps. */
static void composition_work(void *ctx) {
    struct composition *c = ctx;
    c->ok = fill(c);
    if (c->ok) service_request_seal(&c->request);
    c->ok = c->ok && service_request_fits(&c->request, &c->err);
}

/* What was made of it counts instead of the message. */
static bool hold_request(struct composition *c) {
    byte_hold_release(&c->held);
    lmws_history_release(&c->history);
    return byte_hold_take(c->host->budget, c->request.sealed.len, c->op->held.bytes,
                          &c->request.held, &c->err);
}

static void composition_on_done(void *ctx) {
    struct composition *c = ctx;
    struct lmws_op *op = c->op;
    if (op) op->watcher = NULL;
    if (op && c->ok && hold_request(c))
        c->begin(op, &c->request);
    else if (op)
        lmws_op_fail(op, &c->err);
    composition_free(c);
}

static size_t cost_of(const yyjson_doc *message) {
    return yyjson_doc_get_read_size((yyjson_doc *)message) +
           yyjson_doc_get_val_count((yyjson_doc *)message) * sizeof(yyjson_val);
}

/* The message is counted already as long as it is being received. */
static bool hold_message(struct composition *c, size_t cost) {
    const struct lmws_transport *transport = &c->op->session->transport;
    size_t own = transport->held(transport->ctx) + c->op->held.bytes;
    return byte_hold_take(c->host->budget, cost, own, &c->held, &c->err);
}

static void compose(struct lmws_op *op, const struct composition *what) {
    struct composition *c = xcalloc(1, sizeof *c);
    *c = *what;
    c->op = op;
    c->host = op->session->host;
    c->message = lmws_session_take_message(op->session);
    size_t cost = cost_of(c->message);
    if (!hold_message(c, cost) || !lmws_history_hold(&c->history, &c->err)) {
        lmws_op_fail(op, &c->err);
        composition_free(c);
        return;
    }
    op->watcher = &c->op;
    struct lmws_piece piece = { composition_work, composition_on_done, c };
    c->host->offload(c->host->self, cost + c->history.files.bytes, &piece);
}

void lmws_compose(struct lmws_op *op, const struct lmws_history *history,
                  struct service_request *request, lmws_begin_fn *begin) {
    struct composition what = { .history = *history, .request = *request, .begin = begin };
    *request = (struct service_request){ 0 };
    compose(op, &what);
}

void lmws_compose_text(struct lmws_op *op, yyjson_val *text, lmws_place_fn *place,
                       struct service_request *request, lmws_begin_fn *begin) {
    struct composition what = {
        .text = text, .place = place, .request = *request, .begin = begin
    };
    *request = (struct service_request){ 0 };
    compose(op, &what);
}
