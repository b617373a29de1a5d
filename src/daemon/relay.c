/* SPDX-License-Identifier: MIT */
#include "daemon/relay.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/percent.h"
#include "base/xalloc.h"
#include "daemon/fleet_node.h"
#include "daemon/relay_choice.h"
#include "fleet/forward.h"
#include "http/response.h"
#include "http/server.h"
#include "hub/downloads.h"

enum {
    WHOLE_MAX = 1 << 20, /* bytes of an answer that is passed on in one piece */
    LOOK_MS = 1000,      /* between two looks at the node that answers */
    SILENCE_MS = 12000,  /* a node that is gone and says nothing for so long has failed */
    AGAIN_MS = 200,
    WAIT_MS = 15000, /* longer than the lease of a node that was killed */
    EVENT_MAX = 1 << 16,
    URL_MAX = 1 << 14,
};

struct relay {
    uv_loop_t *loop;
    struct fleet_node *node;
    struct relay_request q; /* dialect, parsed NULL: for relay_pass */
    char *owner;
    struct relay_sink sink;
    struct relay_choice choice;

    msec wait_until;  /* 0: it has not waited */
    uv_timer_t timer; /* until the next look, or the next choice */

    char target[FLEET_NODE_SIZE];
    struct forward *forward;   /* NULL: none is under way */
    struct peer_waiter *fetch; /* likewise: of the model's files */
    uint64_t heard;            /* the loop's time when bytes came last */
    int status;                /* of its answer; 0: none yet */
    bool begun, at_end_of_event;
    char *content_type;
    struct buf fields; /* name, NUL, value, NUL, … */
    struct buf body;   /* of an answer in one piece, or of a refusal */
    bool refusal;      /* that is what fields and body have */
    struct error failure;
};

/* ---- the end ---- */

static void relay_on_closed(uv_handle_t *handle) {
    struct relay *relay = handle->data;
    relay_choice_clear(&relay->choice);
    buf_clear(&relay->fields);
    buf_clear(&relay->body);
    free(relay->content_type);
    free(relay->owner);
    free(relay);
}

static void relay_free(struct relay *relay) {
    forward_cancel(relay->forward);
    peer_waiter_leave(relay->fetch);
    relay->forward = NULL;
    relay->fetch = NULL;
    fleet_node_count_relay(relay->node, -1);
    uv_close((uv_handle_t *)&relay->timer, relay_on_closed);
}

static void finish(struct relay *relay) {
    struct relay_sink sink = relay->sink;
    relay_free(relay);
    sink.on_end(sink.ctx);
}

static void relay_on_gone(void *ctx) {
    finish(ctx);
}

static void relay_on_pressure(void *ctx, bool paused) {
    struct relay *relay = ctx;
    if (relay->forward) forward_pause(relay->forward, paused);
}

static void fail(struct relay *relay, const struct error *err) {
    exchange_add_header(relay->q.x, FLEET_NODE_HEADER, fleet_node_name(relay->node));
    exchange_fail(relay->q.x, err);
    finish(relay);
}

/* ---- the answer ---- */

/* This node adds it to a stream of events, too. */
static bool is_added(const struct relay *relay, const char *name) {
    return response_is_events(relay->content_type) &&
           (strcasecmp(name, "Cache-Control") == 0 ||
            strcasecmp(name, "X-Accel-Buffering") == 0);
}

static void keep_head(struct relay *relay, const struct forward_head *head) {
    free(relay->content_type);
    relay->content_type = head->content_type ? xstrdup(head->content_type) : NULL;
    buf_clear(&relay->fields);
    buf_clear(&relay->body);
    buf_init(&relay->fields, 256 * 1024);
    buf_init(&relay->body, WHOLE_MAX);
    for (size_t i = 0; i < head->field_count; i++) {
        const struct forward_field *field = &head->fields[i];
        if (is_added(relay, field->name)) continue;
        (void)buf_add(&relay->fields, field->name, strlen(field->name) + 1);
        (void)buf_add(&relay->fields, field->value, strlen(field->value) + 1);
    }
}

static void add_fields(struct relay *relay) {
    const char *at = buf_str(&relay->fields), *end = at + relay->fields.len;
    while (at < end) {
        const char *value = at + strlen(at) + 1;
        exchange_add_header(relay->q.x, at, value);
        at = value + strlen(value) + 1;
    }
}

/* What was kept for another node is no longer needed. */
static void drop_request(struct relay *relay) {
    struct parsed *parsed = relay->q.parsed;
    exchange_drop_body(relay->q.x);
    for (int i = 0; parsed && i < parsed->count; i++)
        service_request_clear(&parsed->requests[i]);
}

static void begin_stream(struct relay *relay) {
    relay->begun = relay->at_end_of_event = true;
    add_fields(relay);
    exchange_begin(relay->q.x, relay->status, relay->content_type);
}

/* Another node may have a better answer than these. */
static bool is_refusal(int status) {
    static const int statuses[] = { 401, 404, 429, 500, 503, 507 };
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        if (statuses[i] == status) return true;
    }
    return false;
}

static bool is_status(int status) {
    return status >= 200 && status <= 599 && status != 204 && status != 304;
}

static void relay_on_head(void *ctx, const struct forward_head *head) {
    struct relay *relay = ctx;
    relay->status = head->status;
    relay->refusal = is_refusal(head->status) || !is_status(head->status);
    keep_head(relay, head);
    bool whole = head->length >= 0 && head->length <= WHOLE_MAX;
    if (whole || relay->refusal) return;
    if (head->sent) drop_request(relay);
    begin_stream(relay);
}

static void relay_on_bytes(void *ctx, const char *bytes, size_t len) {
    struct relay *relay = ctx;
    relay->heard = uv_now(relay->loop);
    if (relay->begun)
        exchange_write(relay->q.x, bytes, len);
    else
        (void)buf_add(&relay->body, bytes, len); /* of a refusal maybe not all */
    if (len > 0) relay->at_end_of_event = bytes[len - 1] == '\n';
}

static void reply_whole(struct relay *relay) {
    add_fields(relay);
    exchange_reply(relay->q.x, relay->status, relay->content_type, buf_str(&relay->body),
                   relay->body.len);
    finish(relay);
}

/* The dialect says it in an event, if the client has read whole ones so far. */
static void break_off(struct relay *relay, const struct error *err) {
    const struct dialect *dialect = relay->q.dialect;
    struct parsed *parsed = relay->q.parsed;
    struct buf bytes = BUF_INIT(EVENT_MAX);
    struct service_event failed = { .kind = SERVICE_ERROR, .error = err };
    if (!relay->at_end_of_event || !parsed || !parsed->options.stream) {
        exchange_abort(relay->q.x);
        finish(relay);
        return;
    }
    struct reply *reply = dialect->reply_new(&parsed->options, parsed->count, relay->q.id,
                                             clock_unix() / 1000);
    (void)dialect->reply_event(reply, 0, &failed, &bytes);
    dialect->reply_free(reply);
    exchange_write(relay->q.x, buf_str(&bytes), bytes.len);
    exchange_end(relay->q.x);
    buf_clear(&bytes);
    finish(relay);
}

/* ---- the end of an answer ---- */

static void choose_again(struct relay *relay);

/* The node does not load what another one loads, and says who. */
static bool is_referral(struct relay *relay) {
    const char *at = buf_str(&relay->fields), *end = at + relay->fields.len;
    while (at < end && strcasecmp(at, FLEET_LOADER_HEADER) != 0) {
        at += strlen(at) + 1;
        at += strlen(at) + 1;
    }
    return at < end && relay_choice_refer(&relay->choice, at + strlen(at) + 1);
}

/* Why no answer came. That a certificate is not trusted does not pass by itself. */
static void set_failure(struct relay *relay, const struct error *error) {
    relay->refusal = false;
    if (error->code == ERR_NOT_SUPPORTED) {
        error_set_param(&relay->failure, ERR_MODEL_NOT_FOUND, "model",
                        "The node '%s' of the fleet has this model, but its certificate is not "
                        "trusted here (%.160s); start this server with SSL_CERT_FILE set to a "
                        "file that has it.",
                        relay->target, error->text);
        return;
    }
    error_set(&relay->failure, ERR_BACK_OFF,
              "The node '%s' of the fleet does not answer (%.160s); try again in some "
              "seconds.",
              relay->target, error->text);
    relay->failure.retry_after = 5;
}

/* It answered, maybe with what is no answer. */
static void set_refused(struct relay *relay) {
    error_set(&relay->failure, ERR_BACK_OFF,
              "The node '%s' of the fleet answers with status %d; try again in some seconds.",
              relay->target, relay->status);
    relay->failure.retry_after = 5;
}

static void note_failure(struct relay *relay) {
    relay_choice_failed(&relay->choice, relay->target);
    log_debug("fleet: %s", relay->failure.text);
}

static void relay_on_end(void *ctx, const struct error *error) {
    struct relay *relay = ctx;
    relay->forward = NULL;
    uv_timer_stop(&relay->timer);
    if (error) set_failure(relay, error);
    if (!error && relay->refusal) set_refused(relay);
    if (error && relay->begun) {
        fleet_node_tally(relay->node, FLEET_LOST, relay->target);
        error_set(&relay->failure, ERR_WORKER_DIED,
                  "The node '%s' of the fleet was lost while it answered; ask again.",
                  relay->target);
        break_off(relay, &relay->failure);
    } else if (relay->begun) {
        exchange_end(relay->q.x);
        finish(relay);
    } else if (error || relay->refusal) {
        if (error || !is_referral(relay)) note_failure(relay);
        choose_again(relay);
    } else {
        reply_whole(relay);
    }
}

/* Is the node that answers still there? Its connection alone does not tell: a machine that was
 * frozen or cut off says nothing. */
static void relay_on_look(uv_timer_t *timer) {
    struct relay *relay = timer->data;
    struct error err;
    if (uv_now(relay->loop) - relay->heard < SILENCE_MS) return;
    if (!fleet_node_is_on(relay->node) || fleet_node_has(relay->node, relay->target)) return;
    forward_cancel(relay->forward);
    error_set(&err, ERR_IO, "it has left the fleet");
    relay_on_end(relay, &err);
}

/* ---- the request ---- */

static size_t add_client_fields(const struct relay *relay, struct forward_field *fields) {
    static const char *const names[] = { "Content-Type", "Accept", "User-Agent",
                                         "anthropic-version", "anthropic-beta" };
    size_t count = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = exchange_header(relay->q.x, names[i]);
        if (value) fields[count++] = (struct forward_field){ names[i], value };
    }
    return count;
}

/* The query fields that a forwarded request may have. */
static void add_query(const struct exchange *x, struct buf *url) {
    static const char *const names[] = { "limit", "order", "after", "stream" };
    char separator = '?';
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = exchange_query(x, names[i]);
        if (!value) continue;
        (void)buf_addf(url, "%c%s=", separator, names[i]);
        (void)percent_encode(url, value, PERCENT_UNRESERVED);
        separator = '&';
    }
}

/* One that is too long is cut; there is nothing at that path. */
static char *url_of(const struct exchange *x, const char *base) {
    struct buf url = BUF_INIT(URL_MAX);
    size_t len = strlen(base);
    while (len > 0 && base[len - 1] == '/') len--;
    (void)buf_add(&url, base, len);
    (void)percent_encode(&url, exchange_path(x), PERCENT_UNRESERVED "/");
    add_query(x, &url);
    return buf_take(&url);
}

/* The fields: who asks, for whom. Returns how many. */
static size_t add_fleet_fields(const struct relay *relay, const char *client, const char *pass,
                               struct forward_field *fields) {
    size_t count = 0;
    fields[count++] = (struct forward_field){ FLEET_HOP_HEADER, "1" };
    fields[count++] = (struct forward_field){ FLEET_CLIENT_HEADER, client };
    if (pass) fields[count++] = (struct forward_field){ FLEET_PASS_HEADER, pass };
    if (relay->owner)
        fields[count++] = (struct forward_field){ FLEET_OWNER_HEADER, relay->owner };
    return count;
}

static void send_to(struct relay *relay, const struct relay_next *next) {
    struct forward_sink sink = { relay_on_head, relay_on_bytes, relay_on_end, relay };
    struct exchange *x = relay->q.x;
    struct forward_field fields[16];
    char client[17];
    char *url = url_of(x, next->url);
    char *pass = fleet_node_make_pass(relay->node, next->node, exchange_method(x),
                                      exchange_path(x));
    (void)snprintf(client, sizeof client, "%016" PRIx64, relay->q.client);
    size_t count = add_client_fields(relay, fields);
    count += add_fleet_fields(relay, client, pass, fields + count);
    struct forward_request request = {
        .method = exchange_method(x), .url = url, .fields = fields, .field_count = count
    };
    request.body = exchange_body(x, &request.body_len);
    (void)snprintf(relay->target, sizeof relay->target, "%s", next->node);
    relay->status = 0;
    relay->heard = uv_now(relay->loop);
    relay->forward = forward_begin(next->forwarder, &request, sink);
    uv_timer_start(&relay->timer, relay_on_look, LOOK_MS, LOOK_MS);
    free(url);
    free(pass);
}

/* ---- what was chosen ---- */

static void serve_here(struct relay *relay) {
    struct relay_sink sink = relay->sink;
    exchange_on_gone(relay->q.x, NULL, NULL);
    exchange_on_pressure(relay->q.x, NULL, NULL);
    relay_free(relay);
    sink.on_here(sink.ctx);
}

static void relay_on_fetched(void *ctx, const struct error *err) {
    struct relay *relay = ctx;
    relay->fetch = NULL;
    if (err)
        fail(relay, err);
    else
        serve_here(relay);
}

/* Another request may have begun to fetch it, and others may wait for it. */
static bool fetch(struct relay *relay, struct peer_model *model, struct error *ret_err) {
    struct peer_sink sink = { relay_on_fetched, relay };
    relay->fetch = downloads_from_peers(relay->q.downloads, model, sink, ret_err);
    return relay->fetch != NULL;
}

/* Choose, and begin what goes on without this node's answer. */
static enum relay_step choose(struct relay *relay, struct error *ret_err) {
    struct relay_next next;
    enum relay_step step = relay_choose(&relay->choice, &next, ret_err);
    if (step == RELAY_SEND) send_to(relay, &next);
    if (step == RELAY_FETCH && !fetch(relay, &next.model, ret_err)) return RELAY_FAIL;
    return step;
}

/* What the last node said, or why it could not. */
static void give_up(struct relay *relay) {
    struct error err;
    if (relay->refusal && relay->status == 401) {
        error_set_param(
            &err, ERR_MODEL_NOT_FOUND, "model",
            "The node '%s' of the fleet has this model and refuses requests of this "
            "node; set the same fleet.key on both.",
            relay->target);
        fail(relay, &err);
    } else if (relay->refusal && is_status(relay->status)) {
        reply_whole(relay);
    } else {
        fail(relay, &relay->failure);
    }
}

static void relay_on_again(uv_timer_t *timer) {
    choose_again(timer->data);
}

/* Until the lease of a node that was killed ends, its load seems to go on. */
static void wait_or_give_up(struct relay *relay) {
    msec now = clock_boottime();
    if (!relay->wait_until) relay->wait_until = now + WAIT_MS;
    if (now < relay->wait_until)
        uv_timer_start(&relay->timer, relay_on_again, AGAIN_MS, 0);
    else
        give_up(relay);
}

static void choose_again(struct relay *relay) {
    struct error err;
    switch (choose(relay, &err)) {
    case RELAY_HERE:
        serve_here(relay);
        break;
    case RELAY_FETCH:
    case RELAY_SEND:
        break;
    case RELAY_WAIT:
        wait_or_give_up(relay);
        break;
    case RELAY_NOBODY:
        give_up(relay);
        break;
    case RELAY_FAIL:
        fail(relay, &err);
        break;
    }
}

/* ---- the beginning ---- */

/* only: relay_choice.h */
static struct relay *relay_new(uv_loop_t *loop, struct fleet_node *node,
                               const struct relay_request *q, const char *only,
                               struct relay_sink sink) {
    struct relay *relay = xcalloc(1, sizeof *relay);
    relay->loop = loop;
    relay->node = node;
    relay->q = *q;
    relay->sink = sink;
    relay->owner = q->owner ? xstrdup(q->owner) : NULL;
    relay_choice_init(&relay->choice, node, &relay->q, only);
    fleet_node_count_relay(node, 1);
    uv_timer_init(loop, &relay->timer);
    relay->timer.data = relay;
    return relay;
}

static void watch_client(struct relay *relay) {
    exchange_on_gone(relay->q.x, relay_on_gone, relay);
    exchange_on_pressure(relay->q.x, relay_on_pressure, relay);
}

bool relay_begin(uv_loop_t *loop, struct fleet_node *node, const struct relay_request *request,
                 struct relay_sink sink) {
    struct error err;
    struct relay *relay = relay_new(loop, node, request, "", sink);
    enum relay_step step = choose(relay, &err);
    if (step == RELAY_SEND || step == RELAY_FETCH) {
        watch_client(relay);
        return true;
    }
    if (step == RELAY_FAIL) {
        fail(relay, &err);
        return true;
    }
    relay_free(relay);
    return false;
}

static void relay_on_passed(void *ctx) {
    (void)ctx;
}

void relay_pass(uv_loop_t *loop, struct fleet_node *node, struct exchange *x, const char *to,
                const char *owner) {
    static const struct allowed_models all = { 0 };
    struct relay_request request = { .x = x, .owner = owner, .allowed = &all };
    struct relay_sink sink = { NULL, relay_on_passed, NULL }; /* never here: see relay_choose */
    struct relay *relay = relay_new(loop, node, &request, to, sink);
    error_set(
        &relay->failure, ERR_BACK_OFF,
        "The node '%s' of the fleet, which has this response, is not there now; try again "
        "later.",
        to);
    watch_client(relay);
    choose_again(relay);
}
