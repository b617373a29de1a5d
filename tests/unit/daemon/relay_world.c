/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include "relay_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "daemon/fleet_files.h"
#include "daemon/fleet_node.h"
#include "fleet/fleet_view.h"
#include "http/server.h"
#include "hub/downloads.h"

struct world world;

/* ---- the client's exchange ---- */

static void end_exchange(struct exchange *x, const char *text) {
    x->ends++;
    x->on_gone = NULL;
    (void)snprintf(x->text, sizeof x->text, "%s", text);
}

const char *exchange_method(const struct exchange *x) {
    (void)x;
    return "POST";
}

const char *exchange_path(const struct exchange *x) {
    (void)x;
    return "/v1/chat/completions";
}

const char *exchange_query(const struct exchange *x, const char *name) {
    (void)x, (void)name;
    return NULL;
}

const char *exchange_header(const struct exchange *x, const char *name) {
    (void)x, (void)name;
    return NULL;
}

const char *exchange_body(const struct exchange *x, size_t *ret_len) {
    *ret_len = x->has_body ? 2 : 0;
    return x->has_body ? "{}" : "";
}

void exchange_drop_body(struct exchange *x) {
    x->has_body = false;
}

void exchange_add_header(struct exchange *x, const char *name, const char *value) {
    (void)x, (void)name, (void)value;
}

bool exchange_offer_header(struct exchange *x, const char *name, const char *value) {
    (void)x, (void)name, (void)value;
    return true;
}

void exchange_reply(struct exchange *x, int status, const char *content_type, const void *body,
                    size_t len) {
    (void)content_type, (void)body, (void)len;
    x->status = status;
    end_exchange(x, "");
}

void exchange_fail(struct exchange *x, const struct error *err) {
    x->status = error_status(err->code);
    end_exchange(x, err->text);
}

void exchange_begin(struct exchange *x, int status, const char *content_type) {
    (void)content_type;
    x->status = status;
}

void exchange_write(struct exchange *x, const void *bytes, size_t len) {
    (void)x, (void)bytes, (void)len;
}

void exchange_end(struct exchange *x) {
    end_exchange(x, "");
}

void exchange_abort(struct exchange *x) {
    end_exchange(x, "aborted");
}

void exchange_on_gone(struct exchange *x, void (*fn)(void *ctx), void *ctx) {
    x->on_gone = fn;
    x->gone_ctx = ctx;
}

void exchange_on_pressure(struct exchange *x, void (*fn)(void *ctx, bool paused), void *ctx) {
    (void)x, (void)fn, (void)ctx;
}

/* ---- requests to nodes ---- */

struct forward *forward_begin(struct forwarder *forwarder,
                              const struct forward_request *request, struct forward_sink sink) {
    (void)forwarder;
    assert_false(world.is_asking); /* one at a time */
    assert_in_range(++world.asked, 1, 32);
    (void)snprintf(world.url, sizeof world.url, "%s", request->url);
    world.is_asking = true;
    world.sink = sink;
    return (struct forward *)&world;
}

void forward_pause(struct forward *forward, bool paused) {
    (void)forward, (void)paused;
}

void forward_cancel(struct forward *forward) {
    if (forward) world.is_asking = false;
}

struct peer_waiter *downloads_from_peers(struct downloads *downloads, struct peer_model *model,
                                         struct peer_sink sink, struct error *err) {
    (void)downloads, (void)model, (void)err;
    world.is_fetching = true;
    world.fetched = sink;
    return (struct peer_waiter *)&world;
}

void peer_waiter_leave(struct peer_waiter *waiter) {
    if (waiter) world.is_fetching = false;
}

/* ---- the fleet ---- */

bool fleet_node_has(const struct fleet_node *node, const char *name) {
    (void)node, (void)name;
    return true;
}

bool fleet_node_reaches_etcd(const struct fleet_node *node) {
    return !node->off;
}

void fleet_node_ask(const struct fleet_node *node, struct fleet_question *ret) {
    (void)node;
    ret->here = "a";
    ret->secret = "";
    ret->now = clock_boottime();
    ret->unix_now = clock_unix();
}

void fleet_node_note(struct fleet_node *node, const char *to) {
    (void)node, (void)to;
}

void fleet_node_tally(struct fleet_node *node, enum fleet_event event, const char *peer) {
    (void)node, (void)event, (void)peer;
}

void fleet_node_count_relay(struct fleet_node *node, int change) {
    node->relays += change;
}

bool fleet_files_find(const struct fleet_node *node, const struct fleet_view *view,
                      struct peer_model *ret, struct error *err) {
    (void)node, (void)view, (void)err;
    *ret = (struct peer_model){ 0 };
    return true;
}

/* ---- what happens ---- */

static void put(const char *kind, const char *name, const char *value) {
    char *key = xasprintf("%s/%s", kind, name);
    fleet_table_put(&world.node.table, key, value);
    free(key);
}

static void put_node(const char *name) {
    char *value = xasprintf("{\"url\":\"http://%s\",\"memory_free_bytes\":8000000000,"
                            "\"memory_limit_bytes\":8000000000,\"cores\":4}",
                            name);
    put("nodes", name, value);
    free(value);
}

void world_add_node(const char *name) {
    put_node(name);
    put("models", name, "{\"models\":[{\"key\":\"m\",\"size_bytes\":1000000}]}");
}

void world_remove_node(const char *name) {
    put("nodes", name, NULL);
    put("models", name, NULL);
}

void world_make_room(void) {
    put_node("a");
}

void world_open(void) {
    static char model[] = "m";
    world = (struct world){ .x.has_body = true };
    world.parsed.options.model = model;
    uv_loop_init(&world.loop);
    put("nodes", "a", "{\"url\":\"http://a\"}");
}

void world_close(void) {
    uv_run(&world.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&world.loop), 0);
    assert_int_equal(world.node.relays, 0);
    assert_false(world.is_asking || world.is_fetching);
    fleet_table_clear(&world.node.table);
}

static void on_here(void *ctx) {
    (void)ctx;
    world.here++;
}

static void on_end(void *ctx) {
    (void)ctx;
    world.ends++;
}

bool world_begin(void) {
    static const struct allowed_models all = { 0 };
    struct relay_request request = {
        .x = &world.x, .op = OP_CHAT, .parsed = &world.parsed, .key = world.key, .allowed = &all
    };
    return relay_begin(&world.loop, &world.node, &request,
                       (struct relay_sink){ on_here, on_end, NULL });
}

void world_answer(int status, int64_t length, bool sent) {
    struct forward_head head = { .status = status, .length = length, .sent = sent };
    world.sink.on_head(world.sink.ctx, &head);
}

void world_end(void) {
    world.is_asking = false;
    world.sink.on_end(world.sink.ctx, NULL);
}

void world_refuse(int status) {
    world_answer(status, 0, true);
    world_end();
}

void world_fail(void) {
    struct error err;
    error_set(&err, ERR_IO, "connection refused");
    world.is_asking = false;
    world.sink.on_end(world.sink.ctx, &err);
}

void world_leave(void) {
    void (*fn)(void *ctx) = world.x.on_gone;
    assert_non_null(fn);
    fn(world.x.gone_ctx);
}
