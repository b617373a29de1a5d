/* SPDX-License-Identifier: MIT */
/* The client on a real loop and real sockets, against gateways that answer what a test says. */
#include "cmocka_prelude.h"

#include <stdio.h>
#include <string.h>

#include "fleet/etcd.h"
#include "gateway.h"

enum { TEXT = 512 };

struct scene {
    struct gateway g;       /* the only gateway */
    struct exchange *watch; /* the stream that is open */
    const char *reply;      /* to calls that are no watch */
    int status;
    int requests;
    struct etcd *etcd;
    int answers, failures; /* told to the sink */
    struct error error;    /* the last */
    char keys[TEXT];       /* of all pairs, with commas */
    int64_t lease;
};

static void on_call(void *ctx, struct exchange *x) {
    struct scene *s = ctx;
    s->requests++;
    exchange_reply(x, s->status, "application/json", s->reply, strlen(s->reply));
}

static void on_watch_gone(void *ctx) {
    struct scene *s = ctx;
    s->watch = NULL;
}

static void on_watch(void *ctx, struct exchange *x) {
    struct scene *s = ctx;
    s->requests++;
    s->watch = x;
    exchange_on_gone(x, on_watch_gone, s);
    exchange_begin(x, 200, "application/json");
    /* two lines and the beginning of a third */
    static const char text[] = "{\"result\":{\"created\":true}}\n"
                               "{\"result\":{\"events\":[{\"kv\":{\"key\":\"YQ==\",\"value\":"
                               "\"e30=\"}}]}}\n{\"result\":";
    exchange_write(x, text, sizeof text - 1);
}

static const struct http_route routes[] = {
    { "POST", "/v3/watch", 1 << 20, HTTP_OPEN, on_watch },
    { "POST", "/v3/{call}", 4 << 20, HTTP_OPEN, on_call },
};

static void sink_on_answer(void *ctx, enum etcd_lane lane, const struct etcd_answer *answer) {
    struct scene *s = ctx;
    (void)lane;
    s->answers++;
    s->lease = answer->lease;
    for (size_t i = 0; i < answer->count; i++) {
        size_t len = strlen(s->keys);
        (void)snprintf(s->keys + len, TEXT - len, "%s,", answer->pairs[i].key);
    }
}

static void sink_on_failure(void *ctx, enum etcd_lane lane, const struct error *err) {
    struct scene *s = ctx;
    (void)lane;
    s->failures++;
    s->error = *err;
}

/* The gateway, and a client that knows it, if dead_first as the second of two. */
static void open_scene(struct scene *s, bool dead_first) {
    struct error err;
    *s = (struct scene){ .status = 200, .reply = "{\"ID\":\"5\",\"TTL\":\"10\"}" };
    gateway_open(&s->g, routes, 2, s);
    char live[80];
    (void)snprintf(live, sizeof live, "%s/", s->g.url);
    const char *endpoints[] = { "http://127.0.0.1:1", live };
    struct etcd_sink sink = { sink_on_answer, sink_on_failure, s };
    s->etcd = etcd_new(&s->g.loop, endpoints + !dead_first, dead_first ? 2 : 1, sink, &err);
    assert_non_null(s->etcd);
}

static void close_scene(struct scene *s) {
    etcd_close(s->etcd);
    gateway_close(&s->g);
}

static const struct etcd_request grant = { .call = ETCD_GRANT, .ttl = 10 };
static const struct etcd_request watch = { .call = ETCD_WATCH, .key = "/doze/", .revision = 3 };

static void test_a_call_is_answered(void **state) {
    (void)state;
    struct scene s;
    open_scene(&s, false);
    etcd_send(s.etcd, ETCD_LEASES, &grant);
    gateway_wait(&s.g, &s.answers, 1);
    assert_int_equal(s.lease, 5);
    etcd_send(s.etcd, ETCD_LEASES, &grant); /* the lane is free again */
    gateway_wait(&s.g, &s.answers, 2);
    assert_int_equal(s.failures, 0);
    close_scene(&s);
}

static void test_the_next_endpoint_follows_one_that_fails(void **state) {
    (void)state;
    struct scene s;
    open_scene(&s, true);
    assert_string_equal(etcd_endpoint(s.etcd), "http://127.0.0.1:1");
    etcd_send(s.etcd, ETCD_LEASES, &grant);
    etcd_send(s.etcd, ETCD_READS, &(struct etcd_request){ .call = ETCD_RANGE, .key = "/" });
    gateway_wait(&s.g, &s.failures, 2);
    assert_int_equal(s.error.code, ERR_IO);
    assert_non_null(strstr(s.error.text, "http://127.0.0.1:1: "));
    assert_null(strstr(etcd_endpoint(s.etcd), "127.0.0.1:1:")); /* moved on by one, not two */
    etcd_send(s.etcd, ETCD_LEASES, &grant);
    gateway_wait(&s.g, &s.answers, 1);
    close_scene(&s);
}

static void test_an_answer_that_is_an_error_is_a_failure(void **state) {
    (void)state;
    struct scene s;
    open_scene(&s, false);
    s.status = 404;
    s.reply = "{\"error\":\"etcdserver: requested lease not found\",\"code\":5}";
    struct etcd_request put = { .call = ETCD_PUT, .key = "a", .value = "{}", .lease = 5 };
    etcd_send(s.etcd, ETCD_WRITES, &put);
    gateway_wait(&s.g, &s.failures, 1);
    assert_int_equal(s.error.code, ERR_NOT_FOUND);
    close_scene(&s);
}

static void test_a_watch_is_told_line_by_line(void **state) {
    (void)state;
    struct scene s;
    open_scene(&s, false);
    etcd_send(s.etcd, ETCD_WATCHES, &watch);
    gateway_wait(&s.g, &s.answers, 2);
    assert_string_equal(s.keys, "a,");
    static const char rest[] =
        "{\"events\":[{\"type\":\"DELETE\",\"kv\":{\"key\":\"Yg==\"}}]}}\n";
    exchange_write(s.watch, rest, sizeof rest - 1);
    gateway_wait(&s.g, &s.answers, 3);
    assert_string_equal(s.keys, "a,b,");
    exchange_end(s.watch);
    gateway_wait(&s.g, &s.failures, 1);
    assert_int_equal(s.error.code, ERR_IO);
    close_scene(&s);
}

static void test_another_watch_ends_the_one_before(void **state) {
    (void)state;
    struct scene s;
    open_scene(&s, false);
    etcd_send(s.etcd, ETCD_WATCHES, &watch);
    gateway_wait(&s.g, &s.answers, 2);
    etcd_send(s.etcd, ETCD_WATCHES, &watch);
    gateway_wait(&s.g, &s.answers, 4);
    assert_int_equal(s.requests, 2);
    assert_int_equal(s.failures, 0);
    close_scene(&s); /* in mid-stream */
}

static void test_a_line_that_is_not_etcds_ends_the_watch(void **state) {
    (void)state;
    struct scene s;
    open_scene(&s, false);
    etcd_send(s.etcd, ETCD_WATCHES, &watch);
    gateway_wait(&s.g, &s.answers, 2);
    exchange_write(s.watch, "7}\n", 3);
    gateway_wait(&s.g, &s.failures, 1);
    assert_int_equal(s.answers, 2);
    close_scene(&s);
}

static void test_large_values_go_through(void **state) {
    (void)state;
    static char value[ETCD_VALUE_MAX + 1];
    struct scene s;
    open_scene(&s, false);
    memset(value, 'a', ETCD_VALUE_MAX);
    struct etcd_request put = { .call = ETCD_PUT, .key = "a", .value = value, .lease = 5 };
    etcd_send(s.etcd, ETCD_WRITES, &put);
    gateway_wait(&s.g, &s.answers, 1);
    close_scene(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_call_is_answered),
        cmocka_unit_test(test_the_next_endpoint_follows_one_that_fails),
        cmocka_unit_test(test_an_answer_that_is_an_error_is_a_failure),
        cmocka_unit_test(test_a_watch_is_told_line_by_line),
        cmocka_unit_test(test_another_watch_ends_the_one_before),
        cmocka_unit_test(test_a_line_that_is_not_etcds_ends_the_watch),
        cmocka_unit_test(test_large_values_go_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
