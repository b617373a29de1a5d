/* SPDX-License-Identifier: MIT */
/* The pure parts: the request reader, routes, heads of answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "http/request.h"
#include "http/response.h"
#include "http/route.h"

/* Feed a text in parts of the given size until it is complete or bad; returns the bytes used.
 */
static size_t feed(struct request *r, const char *text, size_t part,
                   enum request_step *ret_step) {
    size_t at = 0, len = strlen(text);
    for (;;) {
        size_t used, next = len - at < part ? len - at : part;
        *ret_step = request_feed(r, text + at, next, &used);
        assert_true(used <= next);
        at += used;
        if (*ret_step == REQUEST_HEAD) assert_true(request_allow_body(r, 1000));
        if (*ret_step == REQUEST_DONE || *ret_step == REQUEST_BAD) return at;
        if (at == len && *ret_step == REQUEST_MORE) return at;
    }
}

static void test_same_in_parts_of_any_size(void **state) {
    static const char text[] =
        "POST /a%20b/c?x=1&y HTTP/1.1\r\nHost: h\r\nEmpty:\r\nX-Long-Name:   v 1 \t \r\n"
        "Transfer-Encoding: chunked\r\nTRAILER: T\r\n\r\n"
        "5;e=\"q\"\r\nhello\r\n6\r\n world\r\n0\r\nT: t\r\n\r\nGET /next";
    (void)state;
    for (size_t part = 1; part < sizeof text; part++) {
        struct request r;
        enum request_step step;
        http_request_init(&r, &http_limits_default);
        size_t used = feed(&r, text, part, &step);
        assert_int_equal(step, REQUEST_DONE);
        assert_string_equal(text + used, "GET /next");
        assert_string_equal(r.method, "POST");
        assert_string_equal(r.target.path, "/a b/c");
        assert_string_equal(target_query(&r.target, "x"), "1");
        assert_string_equal(target_query(&r.target, "y"), "");
        assert_null(target_query(&r.target, "z"));
        assert_int_equal(r.field_count, 5);
        assert_string_equal(request_header(&r, "host"), "h");
        assert_string_equal(request_header(&r, "EMPTY"), "");
        assert_string_equal(request_header(&r, "x-long-name"), "v 1");
        assert_null(request_header(&r, "T")); /* trailers are not headers */
        assert_string_equal(r.body.data, "hello world");
        assert_int_equal(r.body_received, 11);
        assert_true(r.keep_alive && r.chunked && r.has_body && !r.http10);
        http_request_clear(&r);
    }
}

static void test_keep_alive(void **state) {
    static const struct {
        const char *text;
        bool keep;
    } rows[] = {
        { "GET / HTTP/1.1\r\nHost: h\r\n\r\n", true },
        { "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", false },
        { "GET / HTTP/1.1\r\nHost: h\r\nConnection: x, Close\r\n\r\n", false },
        { "GET / HTTP/1.0\r\n\r\n", false },
        { "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct request r;
        enum request_step step;
        http_request_init(&r, &http_limits_default);
        (void)feed(&r, rows[i].text, 1000, &step);
        assert_int_equal(step, REQUEST_DONE);
        assert_int_equal(r.keep_alive, rows[i].keep);
        http_request_clear(&r);
    }
}

static void test_body_is_limited_when_announced_and_when_received(void **state) {
    struct request r;
    size_t used;
    (void)state;
    static const char head[] = "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n";
    http_request_init(&r, &http_limits_default);
    assert_int_equal(request_feed(&r, head, sizeof head - 1, &used), REQUEST_HEAD);
    assert_int_equal(r.content_length, 5);
    assert_false(request_allow_body(&r, 4));
    assert_int_equal(r.status, 413);
    assert_int_equal(r.err.code, ERR_TOO_LARGE);
    http_request_clear(&r);

    http_request_init(&r, &http_limits_default);
    assert_int_equal(request_feed(&r, head, sizeof head - 1, &used), REQUEST_HEAD);
    assert_true(request_ignore_body(&r, 5));
    assert_int_equal(request_feed(&r, "12345", 5, &used), REQUEST_DONE);
    assert_int_equal(r.body.len, 0);
    assert_int_equal(r.body_received, 5);
    http_request_clear(&r);

    static const char chunked[] =
        "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    http_request_init(&r, &http_limits_default);
    assert_int_equal(request_feed(&r, chunked, sizeof chunked - 1, &used), REQUEST_HEAD);
    assert_true(request_allow_body(&r, 4));
    assert_int_equal(request_feed(&r, "5\r\n12345\r\n", 10, &used), REQUEST_BAD);
    assert_int_equal(r.status, 413);
    http_request_clear(&r);
}

/* ---- Content-Encoding ---- */

enum { GZIP = 15 + 16, ZLIB = 15 };

/* A chunked POST of the text, compressed. */
static void add_compressed(struct buf *out, const char *coding, int format, const char *text,
                           size_t len) {
    unsigned char packed[4096];
    z_stream z = { .next_in = (unsigned char *)text, .avail_in = (uInt)len };
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, format, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_out = packed;
    z.avail_out = sizeof packed;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t size = sizeof packed - z.avail_out;
    deflateEnd(&z);
    buf_addf(out, "POST / HTTP/1.1\r\nHost: h\r\nContent-Encoding: %s\r\n", coding);
    buf_addf(out, "Content-Length: %zu\r\n\r\n", size);
    buf_add(out, (const char *)packed, size);
}

/* Feed all of it, with a body of at most `max`; the last step. */
static enum request_step feed_all(struct request *r, const struct buf *bytes, size_t part,
                                  size_t max) {
    enum request_step step = REQUEST_MORE;
    http_request_init(r, &http_limits_default);
    for (size_t at = 0, used; at < bytes->len || step == REQUEST_HEAD; at += used) {
        size_t next = bytes->len - at < part ? bytes->len - at : part;
        step = request_feed(r, bytes->data + at, next, &used);
        if (step == REQUEST_HEAD && !request_allow_body(r, max)) return REQUEST_BAD;
        if (step == REQUEST_DONE || step == REQUEST_BAD) return step;
    }
    return step;
}

static void test_compressed_bodies_are_inflated_in_parts_of_any_size(void **state) {
    static const char text[] = "{\"model\":\"a\"} {\"model\":\"a\"} {\"model\":\"a\"}";
    static const struct {
        const char *coding;
        int format;
    } rows[] = { { "gzip", GZIP }, { "X-GZIP", GZIP }, { "deflate", ZLIB } };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf bytes = BUF_INIT(10000);
        add_compressed(&bytes, rows[i].coding, rows[i].format, text, sizeof text - 1);
        for (size_t part = 1; part <= bytes.len; part++) {
            struct request r;
            assert_int_equal(feed_all(&r, &bytes, part, sizeof text - 1), REQUEST_DONE);
            assert_string_equal(buf_str(&r.body), text);
            http_request_clear(&r);
        }
        buf_clear(&bytes);
    }
}

static void test_a_body_that_inflates_past_its_limit_is_refused(void **state) {
    static char zeros[1 << 20];
    struct buf bytes = BUF_INIT(10000);
    struct request r;
    (void)state;
    add_compressed(&bytes, "gzip", GZIP, zeros, sizeof zeros);
    assert_int_equal(feed_all(&r, &bytes, 100, sizeof zeros - 1), REQUEST_BAD);
    assert_int_equal(r.status, 413);
    assert_true(r.body.len < sizeof zeros);
    http_request_clear(&r);
    assert_int_equal(feed_all(&r, &bytes, bytes.len, sizeof zeros), REQUEST_DONE);
    assert_int_equal(r.body.len, sizeof zeros);
    http_request_clear(&r);
    buf_clear(&bytes);
}

static void test_a_body_that_inflates_to_many_times_its_length_is_refused(void **state) {
    static char zeros[3 << 20];
    struct buf bytes = BUF_INIT(10000);
    struct request r;
    (void)state;
    add_compressed(&bytes, "gzip", GZIP, zeros, sizeof zeros); /* to 3 KB */
    assert_int_equal(feed_all(&r, &bytes, bytes.len, 64 << 20), REQUEST_BAD);
    assert_int_equal(r.status, 413);
    assert_non_null(strstr(r.err.text, "without Content-Encoding"));
    assert_true(r.body.len < 2 << 20);
    http_request_clear(&r);
    buf_clear(&bytes);
}

static void test_bodies_that_belie_their_coding_are_refused(void **state) {
    static const char head[] = "POST / HTTP/1.1\r\nHost: h\r\nContent-Encoding: ";
    static const struct {
        const char *rest;
        int status;
    } rows[] = {
        { "gzip\r\nContent-Length: 2\r\n\r\n{}", 400 },
        { "gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x08", 400 }, /* ends too early */
        { "br\r\nContent-Length: 2\r\n\r\n{}", 415 },
        { "gzip, gzip\r\nContent-Length: 2\r\n\r\n{}", 415 },
        { "identity\r\nContent-Length: 2\r\n\r\n{}", 0 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf bytes = BUF_INIT(1000);
        struct request r;
        buf_addf(&bytes, "%s%s", head, rows[i].rest);
        enum request_step step = feed_all(&r, &bytes, 1, 100);
        assert_int_equal(step, rows[i].status ? REQUEST_BAD : REQUEST_DONE);
        assert_int_equal(r.status, rows[i].status);
        http_request_clear(&r);
        buf_clear(&bytes);
    }
}

static void none(void *ctx, struct exchange *x) {
    (void)ctx;
    (void)x;
}

static const struct http_route routes[] = {
    { "GET", "/m/{id}", 0, HTTP_GUARDED, none },
    { "GET", "/m", 0, HTTP_GUARDED, none },
    { "POST", "/m/load", 1, HTTP_GUARDED, none },
    { "GET", "/m/load/status/{id}", 0, HTTP_GUARDED, none },
    { "PATCH", "/i/{id}", 1, HTTP_GUARDED, none },
    { "GET", "/{rest}", 0, HTTP_GUARDED, none },
};
enum { ROUTE_COUNT = sizeof routes / sizeof routes[0] };

static void check_route(const char *method, const char *path, int index, const char *param) {
    struct route_match match = route_find(routes, ROUTE_COUNT, method, path);
    assert_ptr_equal(match.route, index < 0 ? NULL : &routes[index]);
    if (param)
        assert_string_equal(match.param, param);
    else
        assert_null(match.param);
}

static void test_routes(void **state) {
    (void)state;
    check_route("GET", "/m", 1, NULL);
    check_route("HEAD", "/m", 1, NULL);
    check_route("GET", "/m/", 1, NULL);
    check_route("GET", "/m//", 0, "/");
    check_route("POST", "/m/load/", 2, NULL);
    check_route("GET", "/m/a/b", 0, "a/b");
    check_route("GET", "/m/load", 0, "load"); /* POST has a route of its own */
    check_route("POST", "/m/load", 2, NULL);
    check_route("GET", "/m/load/status/7", 3, "7");
    check_route("GET", "/m/load/status/", 0, "load/status/");
    check_route("GET", "/else", 5, "else");
    check_route("GET", "/", -1, NULL);
    check_route("PATCH", "/i/", -1, NULL);
    check_route("DELETE", "/m", -1, NULL);
}

static void test_allowed_methods(void **state) {
    struct buf out = BUF_INIT(100);
    (void)state;
    assert_true(route_allowed(routes, ROUTE_COUNT, "/m/load", &out));
    assert_string_equal(out.data, "GET, HEAD, POST, OPTIONS");
    buf_reset(&out);
    assert_true(route_allowed(routes + 4, 1, "/i/a", &out));
    assert_string_equal(out.data, "PATCH, OPTIONS");
    buf_reset(&out);
    assert_false(route_allowed(routes + 4, 1, "/i", &out));
    assert_int_equal(out.len, 0);
    buf_clear(&out);
}

static void test_head_of_an_answer(void **state) {
    struct buf out = BUF_INIT(1000), extra = BUF_INIT(100);
    struct response_head head = { .status = 404,
                                  .content_type = "a/b",
                                  .length = 3,
                                  .keep_alive = true,
                                  .unix_seconds = 784111777,
                                  .extra = &extra };
    (void)state;
    (void)buf_add_str(&extra, "X: y\r\n");
    response_format_head(&head, &out);
    assert_string_equal(out.data, "HTTP/1.1 404 Not Found\r\n"
                                  "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                                  "Content-Type: a/b\r\nContent-Length: 3\r\nX: y\r\n\r\n");
    buf_reset(&out);
    head = (struct response_head){ .status = 299, .framing = RESPONSE_TO_END, .http10 = true };
    response_format_head(&head, &out);
    assert_string_equal(out.data, "HTTP/1.1 299 \r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
                                  "Connection: close\r\n\r\n");
    buf_clear(&out);
    buf_clear(&extra);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_in_parts_of_any_size),
        cmocka_unit_test(test_keep_alive),
        cmocka_unit_test(test_body_is_limited_when_announced_and_when_received),
        cmocka_unit_test(test_compressed_bodies_are_inflated_in_parts_of_any_size),
        cmocka_unit_test(test_a_body_that_inflates_past_its_limit_is_refused),
        cmocka_unit_test(test_a_body_that_inflates_to_many_times_its_length_is_refused),
        cmocka_unit_test(test_bodies_that_belie_their_coding_are_refused),
        cmocka_unit_test(test_routes),
        cmocka_unit_test(test_allowed_methods),
        cmocka_unit_test(test_head_of_an_answer),
    };
    return cmocka_run_group_tests_name("http request", tests, NULL, NULL);
}
