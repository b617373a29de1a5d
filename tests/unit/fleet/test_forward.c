/* SPDX-License-Identifier: MIT */
/* Requests to a node on a real loop and real sockets. */
#include "cmocka_prelude.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fleet/forward.h"
#include "gateway.h"

enum { MANY = 16 << 20 };

struct scene {
    struct gateway g;
    struct exchange *stream; /* the answer that is being made */
    bool full;               /* its client reads too slowly */
    int gone;
    struct forwarder *forwarder;
    struct forward *forward;
    int heads, ends, status;
    bool sent;
    int64_t length;
    char type[64], fields[512], text[512], why[512];
    size_t got;
};

static void on_echo(void *ctx, struct exchange *x) {
    size_t len;
    const char *body = exchange_body(x, &len), *sent = exchange_header(x, "X-Sent");
    (void)ctx;
    exchange_add_header(x, "X-Odd", "a \xc3\xbc b");
    if (sent) exchange_add_header(x, "X-Seen", sent);
    exchange_reply(x, 418, "text/plain", body, len);
}

static void on_stream_gone(void *ctx) {
    struct scene *s = ctx;
    s->stream = NULL;
    s->gone++;
}

static void on_stream_pressure(void *ctx, bool paused) {
    ((struct scene *)ctx)->full = paused;
}

static void on_stream(void *ctx, struct exchange *x) {
    struct scene *s = ctx;
    s->stream = x;
    exchange_on_gone(x, on_stream_gone, s);
    exchange_on_pressure(x, on_stream_pressure, s);
    exchange_begin(x, 200, "text/event-stream");
    exchange_write(x, "one", 3);
}

static void on_page(void *ctx, struct exchange *x) {
    (void)ctx;
    exchange_reply(x, 200, "text/plain", "hello", 5);
}

static const struct http_route routes[] = {
    { "GET", "/page", 0, HTTP_OPEN, on_page },
    { "POST", "/echo", 4 << 20, HTTP_OPEN, on_echo },
    { "POST", "/stream", 1 << 20, HTTP_OPEN, on_stream },
};

static void on_head(void *ctx, const struct forward_head *head) {
    struct scene *s = ctx;
    s->heads++;
    s->status = head->status;
    s->length = head->length;
    s->sent = head->sent;
    (void)snprintf(s->type, sizeof s->type, "%s", head->content_type);
    for (size_t i = 0; i < head->field_count; i++) {
        size_t len = strlen(s->fields);
        (void)snprintf(s->fields + len, sizeof s->fields - len, "%s: %s\n",
                       head->fields[i].name, head->fields[i].value);
    }
}

static void on_bytes(void *ctx, const char *bytes, size_t len) {
    struct scene *s = ctx;
    if (s->got + len < sizeof s->text) memcpy(s->text + s->got, bytes, len);
    s->got += len;
}

static void on_end(void *ctx, const struct error *error) {
    struct scene *s = ctx;
    s->ends++;
    uv_stop(&s->g.loop); /* it comes from a timer, before the loop sleeps */
    s->forward = NULL;
    if (error) (void)snprintf(s->why, sizeof s->why, "%s", error->text);
}

static void open_scene(struct scene *s) {
    struct error err;
    *s = (struct scene){ 0 };
    gateway_open(&s->g, routes, sizeof routes / sizeof routes[0], s);
    s->forwarder = forwarder_new(&s->g.loop, &err);
    assert_non_null(s->forwarder);
}

static void close_scene(struct scene *s) {
    forward_cancel(s->forward);
    forwarder_close(s->forwarder);
    gateway_close(&s->g);
}

static void send_body(struct scene *s, const char *base, const char *path, const char *body,
                      size_t len) {
    char url[128];
    struct forward_field fields[] = { { "X-Sent", "yes" }, { "Content-Type", "text/plain" } };
    struct forward_sink sink = { on_head, on_bytes, on_end, s };
    (void)snprintf(url, sizeof url, "%s%s", base, path);
    struct forward_request request = { .method = "POST",
                                       .url = url,
                                       .fields = fields,
                                       .field_count = 2,
                                       .body = body,
                                       .body_len = len };
    s->forward = forward_begin(s->forwarder, &request, sink);
    assert_int_equal(s->heads + s->ends, 0); /* not before it returns */
}

static void wait_for_bytes(struct scene *s, size_t count) {
    while (s->got < count) uv_run(&s->g.loop, UV_RUN_ONCE);
}

static void test_status_headers_and_body_come_back(void **state) {
    (void)state;
    struct scene s;
    open_scene(&s);
    send_body(&s, s.g.url, "/echo", "hello", 5);
    gateway_wait(&s.g, &s.ends, 1);
    assert_int_equal(s.status, 418);
    assert_int_equal(s.length, 5);
    assert_string_equal(s.type, "text/plain");
    assert_string_equal(s.fields, "X-Odd: a \xc3\xbc b\nX-Seen: yes\n");
    assert_string_equal(s.text, "hello");
    assert_string_equal(s.why, "");
    assert_int_equal(s.heads, 1);
    assert_true(s.sent);
    close_scene(&s);
}

static void test_the_answer_to_head_ends_with_its_head(void **state) {
    char url[128];
    (void)state;
    struct scene s;
    struct forward_sink sink = { on_head, on_bytes, on_end, &s };
    open_scene(&s);
    (void)snprintf(url, sizeof url, "%s/page", s.g.url);
    struct forward_request request = { .method = "HEAD", .url = url };
    s.forward = forward_begin(s.forwarder, &request, sink);
    gateway_wait(&s.g, &s.ends, 1);
    assert_int_equal(s.status, 200);
    assert_int_equal(s.length, 5);
    assert_int_equal(s.got, 0);
    assert_string_equal(s.why, "");
    close_scene(&s);
}

static void test_an_empty_answer_has_a_head(void **state) {
    (void)state;
    struct scene s;
    open_scene(&s);
    send_body(&s, s.g.url, "/echo", "", 0);
    gateway_wait(&s.g, &s.ends, 1);
    assert_int_equal(s.heads, 1);
    assert_int_equal(s.length, 0);
    close_scene(&s);
}

static void test_a_large_body_is_sent_at_once(void **state) {
    (void)state;
    static char body[3 << 20];
    struct scene s;
    open_scene(&s);
    memset(body, 'a', sizeof body);
    send_body(&s, s.g.url, "/echo", body, sizeof body);
    gateway_wait(&s.g, &s.ends, 1);
    assert_int_equal(s.got, sizeof body);
    assert_true(s.sent);
    close_scene(&s);
}

static int listen_on(char url[64]) {
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int room = 64 * 1024; /* of what nobody reads, whatever the machine's own is */
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room), 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&at, len), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    (void)snprintf(url, 64, "http://127.0.0.1:%d", ntohs(at.sin_port));
    return fd;
}

/* Of a node that does not read the request before it answers. */
static void test_an_answer_may_come_before_the_request_is_sent(void **state) {
    (void)state;
    static const char answer[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                 "3\r\none\r\n";
    static char body[MANY];
    struct scene s;
    char url[64];
    open_scene(&s);
    int fd = listen_on(url), node = -1;
    send_body(&s, url, "/", body, sizeof body);
    while (node < 0) {
        uv_run(&s.g.loop, UV_RUN_NOWAIT);
        node = accept(fd, NULL, NULL);
    }
    assert_int_equal(write(node, answer, sizeof answer - 1), sizeof answer - 1);
    wait_for_bytes(&s, 3);
    assert_false(s.sent);
    close(node);
    close(fd);
    close_scene(&s);
}

static void test_a_stream_comes_as_it_is_made(void **state) {
    (void)state;
    struct scene s;
    open_scene(&s);
    send_body(&s, s.g.url, "/stream", "", 0);
    wait_for_bytes(&s, 3);
    assert_int_equal(s.length, -1);
    assert_string_equal(s.fields, "Cache-Control: no-cache\nX-Accel-Buffering: no\n");
    exchange_write(s.stream, "two", 3);
    wait_for_bytes(&s, 6);
    assert_string_equal(s.text, "onetwo");
    assert_int_equal(s.ends, 0);
    exchange_end(s.stream);
    gateway_wait(&s.g, &s.ends, 1);
    assert_string_equal(s.why, "");
    close_scene(&s);
}

/* A slow reader pauses the transfer, and its maker. */
static void test_a_paused_transfer_holds_its_maker_back(void **state) {
    (void)state;
    static char piece[64 * 1024];
    struct scene s;
    open_scene(&s);
    send_body(&s, s.g.url, "/stream", "", 0);
    wait_for_bytes(&s, 3);
    forward_pause(s.forward, true);
    size_t made = 3;
    while (!s.full && made < MANY) {
        exchange_write(s.stream, piece, sizeof piece);
        made += sizeof piece;
        uv_run(&s.g.loop, UV_RUN_NOWAIT);
    }
    assert_true(s.full);
    assert_in_range(s.got, 3, made - 1);
    forward_pause(s.forward, false);
    wait_for_bytes(&s, made);
    assert_int_equal(s.got, made);
    exchange_end(s.stream);
    gateway_wait(&s.g, &s.ends, 1);
    close_scene(&s);
}

static void test_cancel_reaches_the_other_side(void **state) {
    (void)state;
    struct scene s;
    open_scene(&s);
    send_body(&s, s.g.url, "/stream", "", 0);
    wait_for_bytes(&s, 3);
    forward_cancel(s.forward);
    s.forward = NULL;
    gateway_wait(&s.g, &s.gone, 1);
    assert_int_equal(s.ends, 0);
    close_scene(&s);
}

static void test_a_stream_that_is_cut_is_an_error(void **state) {
    (void)state;
    struct scene s;
    open_scene(&s);
    send_body(&s, s.g.url, "/stream", "", 0);
    wait_for_bytes(&s, 3);
    exchange_abort(s.stream);
    gateway_wait(&s.g, &s.ends, 1);
    assert_string_not_equal(s.why, "");
    assert_int_equal(s.gone, 0); /* its handler knows */
    close_scene(&s);
}

static void test_a_node_that_does_not_listen_is_an_error(void **state) {
    (void)state;
    struct scene s;
    open_scene(&s);
    send_body(&s, "http://127.0.0.1:1", "/echo", "", 0);
    gateway_wait(&s.g, &s.ends, 1);
    assert_string_not_equal(s.why, "");
    assert_int_equal(s.heads, 0);
    s.ends = 0;
    send_body(&s, "file://", "/etc/passwd", "", 0); /* what a node publishes may be anything */
    gateway_wait(&s.g, &s.ends, 1);
    assert_int_equal(s.heads, 0);
    close_scene(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status_headers_and_body_come_back),
        cmocka_unit_test(test_the_answer_to_head_ends_with_its_head),
        cmocka_unit_test(test_an_empty_answer_has_a_head),
        cmocka_unit_test(test_a_large_body_is_sent_at_once),
        cmocka_unit_test(test_an_answer_may_come_before_the_request_is_sent),
        cmocka_unit_test(test_a_stream_comes_as_it_is_made),
        cmocka_unit_test(test_a_paused_transfer_holds_its_maker_back),
        cmocka_unit_test(test_cancel_reaches_the_other_side),
        cmocka_unit_test(test_a_stream_that_is_cut_is_an_error),
        cmocka_unit_test(test_a_node_that_does_not_listen_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
