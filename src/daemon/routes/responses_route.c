/* SPDX-License-Identifier: MIT */
/*
 * responses_route.c - /v1/responses and LM Studio's /api/v1/chat: answers that continue
 * stored ones, and what is stored.
 *
 * A body that names stored items waits until they are read and joined to it; others begin at
 * once.
 */
#include <stdlib.h>
#include <string.h>

#include "api/lmstudio_rest/v1_chat.h"
#include "api/responses/responses.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "daemon/fleet_node.h"
#include "daemon/offload.h"
#include "daemon/relay.h"
#include "daemon/routes/bearer.h"
#include "daemon/routes/inference.h"
#include "daemon/routes/reply.h"
#include "daemon/routes/route.h"
#include "daemon/stored_responses.h"
#include "http/server.h"

enum { JOINED_MAX = 128 << 20 }; /* bytes of a body with what was found for it */

/* An API whose conversations are stored. */
struct stored_api {
    const struct dialect *dialect;
    /* Brings a body into the form of the Responses API; NULL: it has that. */
    bool (*form)(const char *body, size_t len, struct buf *out, struct error *err);
};

static const struct stored_api responses_api = { &dialect_responses, NULL };
static const struct stored_api lmstudio_api = { &dialect_lmstudio_v1_chat,
                                                lmstudio_v1_chat_form };

/* ---- an exchange that waits for the store ---- */

struct waiting {
    const struct routes *r;
    struct exchange *x;
    struct response_task *task;
    enum response_wish wish;
    bool cancels; /* READ */
    char *id;     /* of the response */
};

static void waiting_free(struct waiting *w) {
    free(w->id);
    free(w);
}

static void waiting_on_gone(void *ctx) {
    struct waiting *w = ctx;
    response_task_forget(w->task);
    waiting_free(w);
}

static void refuse_waiting(struct exchange *x) {
    struct error err;
    error_set(&err, ERR_QUEUE_FULL,
              "Too many requests for stored responses are waiting; try again in a second.");
    err.retry_after = 1;
    exchange_fail(x, &err);
}

static void waiting_begin(struct waiting *w) {
    if (w->task) {
        exchange_on_gone(w->x, waiting_on_gone, w);
        return;
    }
    refuse_waiting(w->x);
    waiting_free(w);
}

/* ---- a new response ---- */

/* Whose responses the client may see: those of the key with this id, or all if that is NULL.
 * Valid until the loop goes on. */
static bool owner_of(const struct routes *r, const struct exchange *x, const char **ret_owner,
                     struct error *err) {
    struct bearer bearer;
    if (!bearer_of_exchange(r, x, &bearer, err)) return false;
    bool sees_all = permission_in(bearer.permissions, PERMISSION_ADMIN);
    *ret_owner = sees_all ? NULL : bearer_owner(x, &bearer);
    return true;
}

/* ---- what another node has stored ---- */

/* The node that has the response; NULL: this one, if any. */
static const char *node_of(const struct routes *r, const struct exchange *x, const char *id) {
    if (exchange_header(x, FLEET_HOP_HEADER) || strncmp(id, "resp_", 5) != 0) return NULL;
    return fleet_node_of_mark(r->fleet, id + 5);
}

static void pass_on(const struct routes *r, struct exchange *x, const char *node) {
    struct error err;
    const char *owner;
    if (!owner_of(r, x, &owner, &err))
        exchange_fail(x, &err);
    else
        relay_pass(r->loop, r->fleet, x, node, owner);
}

/* May the client use the model that it continues with there? The other node resolves the
 * name. */
static bool may_go_on(const struct routes *r, const struct exchange *x, const char *model,
                      struct error *err) {
    struct bearer bearer;
    return bearer_of_exchange(r, x, &bearer, err) &&
           allowed_models_require(bearer.allowed, model, err);
}

/* Read the body, find what it names, join both. For a large body the slow parts run on the
 * pool; exchange and body stay until then. */
struct coming {
    const struct routes *r;
    struct exchange *x;
    const struct stored_api *api;
    struct past_wanted wanted;
    struct buf formed; /* the body in the form of the Responses API; empty: it has it */
    struct response_task *task; /* looks for what is wanted */
    struct buf found;           /* empty: nothing stored is named */
    struct byte_hold held;      /* for it */
    bool store;
    char *previous;
    struct inference inference;
    bool ok;
    struct error err;
};

static void coming_free(struct coming *c) {
    past_wanted_clear(&c->wanted);
    buf_clear(&c->formed);
    buf_clear(&c->found);
    byte_hold_release(&c->held);
    inference_clear(&c->inference);
    free(c->previous);
    free(c);
}

static void coming_fail(struct coming *c, const struct error *err) {
    exchange_fail(c->x, err);
    coming_free(c);
}

static void coming_run(struct coming *c, void (*work)(void *ctx), void (*on_done)(void *ctx)) {
    size_t len;
    (void)exchange_body(c->x, &len);
    offload_run(c->r->offload, len + c->found.len, &(struct offload_piece){ work, on_done, c });
}

static const char *coming_body(const struct coming *c, size_t *ret_len) {
    *ret_len = c->formed.len;
    return c->formed.len > 0 ? buf_str(&c->formed) : exchange_body(c->x, ret_len);
}

/* The part of the conversation that this response adds, for the store. */
static bool record_make(struct coming *c, const char *body, size_t len) {
    struct stored_response *record = &c->inference.record;
    *record = (struct stored_response){ .id = xasprintf("resp_%s", c->inference.id),
                                        .previous = c->previous ? xstrdup(c->previous) : NULL,
                                        .input = BUF_INIT(JOINED_MAX) };
    return past_format_input(body, len, c->found.len > 0 ? &c->found : NULL, c->inference.id,
                             &record->input, &c->err);
}

static void coming_join(void *ctx) {
    struct coming *c = ctx;
    size_t len;
    const char *body = coming_body(c, &len);
    buf_init(&c->inference.body, JOINED_MAX);
    c->ok = c->found.len == 0 || past_join(body, len, &c->found, &c->inference.body, &c->err);
    c->ok = c->ok && (!c->store || record_make(c, body, len));
}

/* What was found for it is part of what was made of it. */
static bool hold_joined(struct coming *c) {
    struct inference *inference = &c->inference;
    size_t bytes = inference->body.len + inference->record.input.len;
    byte_hold_release(&c->held);
    return byte_hold_take(c->r->budget, bytes, exchange_body_held(c->x), &inference->held,
                          &c->err);
}

static void coming_on_joined(void *ctx) {
    struct coming *c = ctx;
    if (!c->ok || !hold_joined(c)) {
        inference_sign(c->r, c->x, c->inference.id);
        coming_fail(c, &c->err);
        return;
    }
    if (c->found.len == 0) {
        c->inference.body = c->formed;
        c->formed = (struct buf){ 0 };
    }
    inference_begin(c->r, c->x, &c->inference);
    coming_free(c);
}

static void join(struct coming *c) {
    c->inference.dialect = c->api->dialect;
    c->inference.op = OP_CHAT;
    inference_id(c->r, c->inference.id);
    c->inference.bound = c->found.len > 0;
    c->store = c->store && stored_responses_on(c->r->stored);
    coming_run(c, coming_join, coming_on_joined);
}

static void coming_on_found(void *ctx, struct buf *found, const struct error *error) {
    struct coming *c = ctx;
    if (!found) {
        coming_fail(c, error);
        return;
    }
    exchange_on_gone(c->x, NULL, NULL);
    if (exchange_is_gone(c->x)) { /* its end is on its way */
        coming_free(c);
        return;
    }
    if (!byte_hold_take(c->r->budget, found->len, exchange_body_held(c->x), &c->held,
                        &c->err)) {
        coming_fail(c, &c->err);
        return;
    }
    c->found = *found;
    *found = (struct buf){ 0 };
    join(c);
}

static void coming_on_gone(void *ctx) {
    struct coming *c = ctx;
    response_task_forget(c->task);
    coming_free(c);
}

static void find(struct coming *c) {
    struct response_sink sink = { coming_on_found, c };
    const char *owner;
    if (!owner_of(c->r, c->x, &owner, &c->err)) {
        coming_fail(c, &c->err);
        return;
    }
    c->task = stored_responses_find(c->r->stored, &c->wanted, owner, sink);
    if (c->task) {
        exchange_on_gone(c->x, coming_on_gone, c);
    } else {
        refuse_waiting(c->x);
        coming_free(c);
    }
}

static void coming_read(void *ctx) {
    struct coming *c = ctx;
    size_t len;
    const char *body = exchange_body(c->x, &len);
    buf_init(&c->formed, JOINED_MAX);
    c->ok = !c->api->form || c->api->form(body, len, &c->formed, &c->err);
    body = coming_body(c, &len);
    c->ok = c->ok && past_read(body, len, &c->wanted, &c->err);
}

static void coming_on_read(void *ctx) {
    struct coming *c = ctx;
    if (!c->ok) {
        coming_fail(c, &c->err);
        return;
    }
    const char *node = c->wanted.previous ? node_of(c->r, c->x, c->wanted.previous) : NULL;
    if (node && !may_go_on(c->r, c->x, c->wanted.model, &c->err)) {
        coming_fail(c, &c->err);
        return;
    }
    if (node) {
        pass_on(c->r, c->x, node);
        coming_free(c);
        return;
    }
    c->store = c->wanted.store;
    c->previous = c->wanted.previous ? xstrdup(c->wanted.previous) : NULL;
    if (c->previous || c->wanted.item_count > 0)
        find(c);
    else
        join(c);
}

static void answer(struct routes *r, struct exchange *x, const struct stored_api *api) {
    struct coming *c = xcalloc(1, sizeof *c);
    c->r = r;
    c->x = x;
    c->api = api;
    coming_run(c, coming_read, coming_on_read);
}

void route_responses(void *ctx, struct exchange *x) {
    answer(ctx, x, &responses_api);
}

void route_v1_chat(void *ctx, struct exchange *x) {
    answer(ctx, x, &lmstudio_api);
}

/* ---- stored responses ---- */

static void reply_removed(struct exchange *x, const char *id) {
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, root);
    yyjson_mut_obj_add_str(doc, root, "id", id);
    yyjson_mut_obj_add_str(doc, root, "object", "response");
    yyjson_mut_obj_add_bool(doc, root, "deleted", true);
    reply_doc(x, doc);
}

/* Only responses in the background can be cancelled, and doze has none: others end when the
 * client closes the connection, and a stored one is complete. */
static void refuse_cancel(struct exchange *x) {
    struct error err;
    error_set_param(&err, ERR_INVALID_REQUEST, "id",
                    "This response is complete; only one in the background can be cancelled. "
                    "To end a running one close its connection.");
    exchange_fail(x, &err);
}

static void responses_on_end(void *ctx, struct buf *json, const struct error *error) {
    struct waiting *w = ctx;
    if (!json)
        exchange_fail(w->x, error);
    else if (w->wish == RESPONSE_REMOVE)
        reply_removed(w->x, w->id);
    else if (w->cancels)
        refuse_cancel(w->x);
    else
        exchange_reply_taking(w->x, 200, "application/json", json);
    waiting_free(w);
}

/* Takes id. */
static void ask(struct routes *r, struct exchange *x, enum response_wish wish, bool cancels,
                char *id) {
    struct error err;
    const char *owner, *node = node_of(r, x, id);
    if (node) {
        pass_on(r, x, node);
        free(id);
        return;
    }
    if (!owner_of(r, x, &owner, &err)) {
        exchange_fail(x, &err);
        free(id);
        return;
    }
    struct waiting *w = xcalloc(1, sizeof *w);
    *w = (struct waiting){ .r = r, .x = x, .wish = wish, .cancels = cancels, .id = id };
    struct response_sink sink = { responses_on_end, w };
    struct past_page page = { exchange_query(x, "limit"), exchange_query(x, "order"),
                              exchange_query(x, "after") };
    w->task = wish == RESPONSE_INPUT ? stored_responses_list(r->stored, id, owner, &page, sink)
                                     : stored_responses_ask(r->stored, wish, id, owner, sink);
    waiting_begin(w);
}

/* {id} is the rest of the path: "resp_x" or "resp_x/input_items". True if it ends so;
 * *ret_len: of what is before that, or of all. */
static bool ends_with(const char *path, const char *tail, size_t *ret_len) {
    size_t len = strlen(path), tail_len = strlen(tail);
    bool ends = len > tail_len && strcmp(path + len - tail_len, tail) == 0;
    *ret_len = ends ? len - tail_len : len;
    return ends;
}

void route_response(void *ctx, struct exchange *x) {
    const char *id = exchange_param(x, "id"), *stream = exchange_query(x, "stream");
    size_t len;
    struct error err;
    if (stream && strcmp(stream, "true") == 0) {
        error_set_param(&err, ERR_INVALID_REQUEST, "stream",
                        "A stored response is not streamed again; leave 'stream' out.");
        exchange_fail(x, &err);
        return;
    }
    bool input = ends_with(id, "/input_items", &len);
    ask(ctx, x, input ? RESPONSE_INPUT : RESPONSE_READ, false, xstrndup(id, len));
}

void route_response_remove(void *ctx, struct exchange *x) {
    ask(ctx, x, RESPONSE_REMOVE, false, xstrdup(exchange_param(x, "id")));
}

/* POST …/{id}/cancel */
void route_response_cancel(void *ctx, struct exchange *x) {
    const char *path = exchange_param(x, "id");
    struct error err;
    size_t len;
    if (!ends_with(path, "/cancel", &len)) {
        error_set(&err, ERR_NOT_FOUND, "There is no such path; POST …/{id}/cancel cancels.");
        exchange_fail(x, &err);
        return;
    }
    ask(ctx, x, RESPONSE_READ, true, xstrndup(path, len));
}
