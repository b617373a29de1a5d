/* SPDX-License-Identifier: MIT */
/* A node on a real loop, and a gateway that says what etcd would. */
#include "cmocka_prelude.h"

#include <string.h>

#include "fleet/fleet.h"
#include "gateway.h"

struct scene {
    struct gateway g;
    struct fleet *fleet;
    unsigned news;
    int changes;
    int revoked, written;
    bool silent;           /* says nothing to a revoke */
    struct exchange *held; /* that revoke */
};

static const struct {
    const char *path, *reply;
} replies[] = {
    { "/v3/lease/grant", "{\"ID\":\"5\",\"TTL\":\"10\"}" },
    { "/v3/kv/txn", "{\"succeeded\":true}" },
    { "/v3/kv/range",
      "{\"header\":{\"revision\":\"1\"},\"kvs\":[{\"key\":\"L2RvemUvbm9kZXMvYg==\","
      "\"value\":\"e30=\"}]}" },
};

static void on_held_gone(void *ctx) {
    ((struct scene *)ctx)->held = NULL;
}

static void on_call(void *ctx, struct exchange *x) {
    struct scene *s = ctx;
    const char *path = exchange_path(x), *reply = "{}";
    for (size_t i = 0; i < sizeof replies / sizeof replies[0]; i++) {
        if (strcmp(path, replies[i].path) == 0) reply = replies[i].reply;
    }
    s->written += strcmp(path, "/v3/kv/txn") == 0 || strcmp(path, "/v3/kv/put") == 0;
    bool revoke = strcmp(path, "/v3/lease/revoke") == 0;
    s->revoked += revoke;
    if (revoke && s->silent) {
        s->held = x;
        exchange_on_gone(x, on_held_gone, s);
        return;
    }
    exchange_reply(x, 200, "application/json", reply, strlen(reply));
}

static void on_watch_gone(void *ctx) {
    (void)ctx;
}

/* Open until the node or the server ends it. */
static void on_watch(void *ctx, struct exchange *x) {
    exchange_on_gone(x, on_watch_gone, ctx);
    exchange_begin(x, 200, "application/json");
}

static const struct http_route routes[] = {
    { "POST", "/v3/watch", 1 << 20, HTTP_OPEN, on_watch },
    { "POST", "/v3/{call}", 4 << 20, HTTP_OPEN, on_call },
};

static void on_news(void *ctx, unsigned news) {
    ((struct scene *)ctx)->news |= news;
}

static void on_change(void *ctx) {
    struct scene *s = ctx;
    s->changes++;
}

static void open_scene(struct scene *s) {
    struct error err;
    *s = (struct scene){ 0 };
    gateway_open(&s->g, routes, 2, s);
    const char *endpoints[] = { s->g.url };
    struct fleet_config config = { .loop = &s->g.loop,
                                   .node = "a",
                                   .endpoints = endpoints,
                                   .endpoint_count = 1,
                                   .on_news = on_news,
                                   .on_change = on_change,
                                   .ctx = s };
    s->fleet = fleet_new(&config, &err);
    assert_non_null(s->fleet);
    fleet_set(s->fleet, "nodes/a", "{\"url\":\"http://a\"}");
    while (!(s->news & MEMBERSHIP_JOINED) || s->written == 0) uv_run(&s->g.loop, UV_RUN_ONCE);
}

/* When the node has closed its connections. */
static void close_scene(struct scene *s) {
    while (http_server_connections(s->g.server) > 0) uv_run(&s->g.loop, UV_RUN_ONCE);
    gateway_close(&s->g);
}

static void test_a_node_joins_and_knows_the_others(void **state) {
    (void)state;
    struct scene s;
    open_scene(&s);
    const struct fleet_table *table = membership_table(fleet_membership(s.fleet));
    assert_non_null(fleet_table_find(table, "nodes/a"));
    assert_non_null(fleet_table_find(table, "nodes/b"));
    assert_true(s.changes > 0);
    fleet_close(s.fleet);
    close_scene(&s);
}

static void test_each_change_is_told_once(void **state) {
    (void)state;
    struct scene s;
    open_scene(&s);
    int before = s.changes;
    fleet_set(s.fleet, "nodes/a", "{\"url\":\"http://other\"}");
    while (s.changes == before) uv_run(&s.g.loop, UV_RUN_ONCE);
    fleet_set(s.fleet, "nodes/a", "{\"url\":\"http://other\"}"); /* as it is */
    fleet_close(s.fleet);
    close_scene(&s);
    assert_int_equal(s.changes, before + 1);
}

/* Closed in the same turn of the loop, the request had no time to be sent. */
static void test_a_node_that_is_closed_gives_its_lease_back(void **state) {
    (void)state;
    struct scene s;
    open_scene(&s);
    fleet_leave(s.fleet);
    fleet_close(s.fleet);
    close_scene(&s);
    assert_int_equal(s.revoked, 1);
}

static void test_an_etcd_that_is_silent_holds_nobody_back(void **state) {
    (void)state;
    struct scene s;
    open_scene(&s);
    s.silent = true;
    fleet_close(s.fleet);
    while (!s.held) uv_run(&s.g.loop, UV_RUN_ONCE);
    while (s.held) uv_run(&s.g.loop, UV_RUN_ONCE); /* until the node hangs up */
    close_scene(&s);
    assert_int_equal(s.revoked, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_node_joins_and_knows_the_others),
        cmocka_unit_test(test_each_change_is_told_once),
        cmocka_unit_test(test_a_node_that_is_closed_gives_its_lease_back),
        cmocka_unit_test(test_an_etcd_that_is_silent_holds_nobody_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
