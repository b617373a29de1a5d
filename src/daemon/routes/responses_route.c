/* SPDX-License-Identifier: MIT */
/*
 * responses_route.c - /v1/responses and LM Studio's /api/v1/chat: answers that go on with
 * stored ones, and what is stored.
 *
 * A body that names stored items waits until they are read and joined to it; others begin at
 * once.
 */
#include <stdlib.h>
#include <string.h>

#include "api/lmstudio_rest/v1_chat.h"
#include "api/responses/responses.h"
#include "base/xalloc.h"
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

/* The exchange's body in that form; it is borrowed from the exchange or from `formed`. */
static bool body_read(const struct stored_api *api, struct exchange *x, struct buf *formed,
                      const char **ret_body, size_t *ret_len, struct error *err) {
    *ret_body = exchange_body(x, ret_len);
    if (!api->form) return true;
    if (!api->form(*ret_body, *ret_len, formed, err)) return false;
    *ret_body = buf_str(formed);
    *ret_len = formed->len;
    return true;
}

/* ---- an exchange that waits for the store ---- */

struct waiting {
    const struct routes *r;
    struct exchange *x;
    struct response_task *task;
    const struct stored_api *api; /* FIND */
    enum response_wish wish;
    bool cancels;   /* READ */
    char *id;       /* of the response */
    char *previous; /* FIND */
    bool store;     /* FIND */
};

static void waiting_free(struct waiting *w) {
    free(w->id);
    free(w->previous);
    free(w);
}

static void waiting_on_gone(void *ctx) {
    struct waiting *w = ctx;
    response_task_forget(w->task);
    waiting_free(w);
}

static void waiting_begin(struct waiting *w) {
    struct error err;
    if (w->task) {
        exchange_on_gone(w->x, waiting_on_gone, w);
        return;
    }
    error_set(&err, ERR_QUEUE_FULL,
              "Too many requests for stored responses are waiting; try again in a second.");
    err.retry_after = 1;
    exchange_fail(w->x, &err);
    waiting_free(w);
}

/* ---- a new response ---- */

/* The part of the conversation that this response adds, for the store. */
static bool record_make(const struct inference *inference, const struct buf *found,
                        const char *previous, struct stored_response *ret_record,
                        struct error *err) {
    struct stored_response record = { .id = xasprintf("resp_%s", inference->id),
                                      .previous = previous ? xstrdup(previous) : NULL,
                                      .input = BUF_INIT(JOINED_MAX) };
    if (past_format_input(inference->body, inference->len, found, inference->id, &record.input,
                          err)) {
        *ret_record = record;
        return true;
    }
    stored_response_clear(&record);
    return false;
}

/* found NULL: the body names nothing that is stored. */
static void begin(const struct routes *r, struct exchange *x, const struct stored_api *api,
                  const struct buf *found, bool store, const char *previous) {
    struct error err;
    char id[INFERENCE_ID_SIZE];
    struct buf joined = BUF_INIT(JOINED_MAX), formed = BUF_INIT(JOINED_MAX);
    struct stored_response record = { 0 };
    struct inference inference = { .dialect = api->dialect, .op = OP_CHAT, .id = id };
    bool ok = body_read(api, x, &formed, &inference.body, &inference.len, &err) &&
              (!found || past_join(inference.body, inference.len, found, &joined, &err));
    inference_id(x, id);
    if (ok && store && stored_responses_on(r->stored)) {
        ok = record_make(&inference, found, previous, &record, &err);
    }
    if (found) {
        inference.body = buf_str(&joined);
        inference.len = joined.len;
    }
    if (ok)
        inference_begin(r, x, &inference, &record);
    else
        exchange_fail(x, &err);
    buf_clear(&joined);
    buf_clear(&formed);
}

static void responses_on_found(void *ctx, const struct buf *found, const struct error *error) {
    struct waiting *w = ctx;
    if (found)
        begin(w->r, w->x, w->api, found, w->store, w->previous);
    else
        exchange_fail(w->x, error);
    waiting_free(w);
}

/* Whose responses the client may see: those of the key with this id, or all if that is NULL.
 * Valid until the loop goes on. */
static bool owner_of(const struct routes *r, const struct exchange *x, const char **ret_owner,
                     struct error *err) {
    struct bearer bearer;
    if (!bearer_of_exchange(r, x, &bearer, err)) return false;
    bool sees_all = !bearer.key || permission_in(bearer.permissions, PERMISSION_ADMIN);
    *ret_owner = sees_all ? NULL : bearer.key->id;
    return true;
}

static void find(struct routes *r, struct exchange *x, const struct stored_api *api,
                 struct past_wanted *wanted) {
    struct error err;
    const char *owner;
    if (!owner_of(r, x, &owner, &err)) {
        exchange_fail(x, &err);
        return;
    }
    struct waiting *w = xcalloc(1, sizeof *w);
    w->r = r;
    w->x = x;
    w->api = api;
    w->store = wanted->store;
    w->previous = wanted->previous ? xstrdup(wanted->previous) : NULL;
    w->task = stored_responses_find(r->stored, wanted, owner,
                                    (struct response_sink){ responses_on_found, w });
    waiting_begin(w);
}

static void answer(struct routes *r, struct exchange *x, const struct stored_api *api) {
    struct error err;
    struct past_wanted wanted = { 0 };
    struct buf formed = BUF_INIT(JOINED_MAX);
    const char *body;
    size_t len;
    if (!body_read(api, x, &formed, &body, &len, &err) || !past_read(body, len, &wanted, &err))
        exchange_fail(x, &err);
    else if (wanted.previous || wanted.item_count > 0)
        find(r, x, api, &wanted);
    else
        begin(r, x, api, NULL, wanted.store, NULL);
    past_wanted_clear(&wanted);
    buf_clear(&formed);
}

void route_responses(void *ctx, struct exchange *x) {
    answer(ctx, x, &responses_api);
}

void route_v1_chat(void *ctx, struct exchange *x) {
    answer(ctx, x, &lmstudio_api);
}

/* ---- stored responses ---- */

static void reply_page(struct exchange *x, const struct buf *items) {
    struct error err;
    struct buf out = BUF_INIT(REPLY_JSON_MAX);
    struct past_page page = { exchange_query(x, "limit"), exchange_query(x, "order"),
                              exchange_query(x, "after") };
    if (past_format_page(items, &page, &out, &err))
        reply_json(x, &out);
    else
        exchange_fail(x, &err);
    buf_clear(&out);
}

static void reply_removed(struct exchange *x, const char *id) {
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, root);
    yyjson_mut_obj_add_str(doc, root, "id", id);
    yyjson_mut_obj_add_str(doc, root, "object", "response");
    yyjson_mut_obj_add_bool(doc, root, "deleted", true);
    reply_doc(x, doc);
}

/* There are no responses in the background, which alone can be cancelled: another one ends when
 * its client closes the connection, and a stored one is complete. */
static void refuse_cancel(struct exchange *x) {
    struct error err;
    error_set_param(&err, ERR_INVALID_REQUEST, "id",
                    "This response is complete; only one in the background can be cancelled. "
                    "To end a running one close its connection.");
    exchange_fail(x, &err);
}

static void responses_on_end(void *ctx, const struct buf *json, const struct error *error) {
    struct waiting *w = ctx;
    if (!json)
        exchange_fail(w->x, error);
    else if (w->wish == RESPONSE_INPUT)
        reply_page(w->x, json);
    else if (w->wish == RESPONSE_REMOVE)
        reply_removed(w->x, w->id);
    else if (w->cancels)
        refuse_cancel(w->x);
    else
        exchange_reply(w->x, 200, "application/json", buf_str(json), json->len);
    waiting_free(w);
}

/* Takes id. */
static void ask(struct routes *r, struct exchange *x, enum response_wish wish, bool cancels,
                char *id) {
    struct error err;
    const char *owner;
    if (!owner_of(r, x, &owner, &err)) {
        exchange_fail(x, &err);
        free(id);
        return;
    }
    struct waiting *w = xcalloc(1, sizeof *w);
    *w = (struct waiting){ .r = r, .x = x, .wish = wish, .cancels = cancels, .id = id };
    w->task = stored_responses_ask(r->stored, wish, id, owner,
                                   (struct response_sink){ responses_on_end, w });
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
