/* SPDX-License-Identifier: MIT */
#include "daemon/relay.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "daemon/fleet_node.h"
#include "daemon/relay_answer.h"
#include "daemon/relay_choice.h"
#include "daemon/relay_message.h"
#include "http/server.h"
#include "hub/downloads.h"

enum {
    LOOK_MS = 1000,     /* between two looks at the node that answers */
    SILENCE_MS = 12000, /* a node that is gone and says nothing for so long has failed */
    AGAIN_MS = 200,
    WAIT_MS = 15000, /* longer than the lease of a node that was killed */
    EVENT_MAX = 1 << 16,
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
    struct relay_answer answer;
    bool begun, at_end_of_event;
    struct error failure;
};

/* ---- the end ---- */

static void relay_on_closed(uv_handle_t *handle) {
    struct relay *relay = handle->data;
    relay_choice_clear(&relay->choice);
    relay_answer_clear(&relay->answer);
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

/* What was kept for another node is no longer needed. */
static void drop_request(struct relay *relay) {
    struct parsed *parsed = relay->q.parsed;
    exchange_drop_body(relay->q.x);
    for (int i = 0; parsed && i < parsed->count; i++)
        service_request_clear(&parsed->requests[i]);
}

static void begin_stream(struct relay *relay) {
    relay->begun = relay->at_end_of_event = true;
    relay_answer_add_fields(&relay->answer, relay->q.x);
    exchange_begin(relay->q.x, relay->answer.status, relay->answer.content_type);
}

static void relay_on_head(void *ctx, const struct forward_head *head) {
    struct relay *relay = ctx;
    relay_answer_begin(&relay->answer, head);
    bool whole = head->length >= 0 && head->length <= RELAY_WHOLE_MAX;
    if (whole || relay->answer.refusal) return;
    if (head->sent) drop_request(relay);
    begin_stream(relay);
}

static void relay_on_bytes(void *ctx, const char *bytes, size_t len) {
    struct relay *relay = ctx;
    relay->heard = uv_now(relay->loop);
    if (relay->begun)
        exchange_write(relay->q.x, bytes, len);
    else
        (void)buf_add(&relay->answer.body, bytes, len); /* of a refusal maybe not all */
    if (len > 0) relay->at_end_of_event = bytes[len - 1] == '\n';
}

static void reply_whole(struct relay *relay) {
    relay_answer_reply(&relay->answer, relay->q.x);
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

/* The node does not load what another one loads, and names that one. */
static bool is_referral(struct relay *relay) {
    const char *loader = relay_answer_field(&relay->answer, FLEET_LOADER_HEADER);
    return loader && relay_choice_refer(&relay->choice, loader);
}

/* Why no answer came. That a certificate is not trusted does not pass by itself. */
static void set_failure(struct relay *relay, const struct error *error) {
    relay->answer.refusal = false;
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
              relay->target, relay->answer.status);
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
    if (!error && relay->answer.refusal) set_refused(relay);
    if (error && relay->begun) {
        fleet_node_tally(relay->node, FLEET_LOST, relay->target);
        error_set(&relay->failure, ERR_WORKER_DIED,
                  "The node '%s' of the fleet was lost while it answered; ask again.",
                  relay->target);
        break_off(relay, &relay->failure);
    } else if (relay->begun) {
        exchange_end(relay->q.x);
        finish(relay);
    } else if (error || relay->answer.refusal) {
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

static void send_to(struct relay *relay, const struct relay_next *next) {
    struct forward_sink sink = { relay_on_head, relay_on_bytes, relay_on_end, relay };
    struct relay_message message;
    relay_message_make(&message, relay->node, &relay->q, relay->owner, next);
    (void)snprintf(relay->target, sizeof relay->target, "%s", next->node);
    relay->answer.status = 0;
    relay->heard = uv_now(relay->loop);
    relay->forward = forward_begin(next->forwarder, &message.request, sink);
    uv_timer_start(&relay->timer, relay_on_look, LOOK_MS, LOOK_MS);
    relay_message_clear(&message);
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
    if (relay->answer.refusal && relay->answer.status == 401) {
        error_set_param(
            &err, ERR_MODEL_NOT_FOUND, "model",
            "The node '%s' of the fleet has this model and refuses requests of this "
            "node; set the same fleet.key on both.",
            relay->target);
        fail(relay, &err);
    } else if (relay->answer.refusal && relay_answer_is_status(&relay->answer)) {
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
