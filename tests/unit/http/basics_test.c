/* SPDX-License-Identifier: MIT */
/* Requests and answers over a real socket. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOST "Host: localhost\r\n"
#define CLOSE HOST "Connection: close\r\n\r\n"

static void test_answer_has_its_head(void **state) {
    (void)state;
    char *answer = client_talk(shared, "GET /quick HTTP/1.1\r\n" CLOSE);
    assert_memory_equal(answer, "HTTP/1.1 200 OK\r\nDate: ", 23);
    assert_non_null(strstr(answer, "\r\nContent-Type: text/plain\r\n"));
    assert_non_null(strstr(answer, "\r\nContent-Length: 5\r\n"));
    assert_non_null(strstr(answer, "\r\nConnection: close\r\n"));
    assert_non_null(strstr(answer, "\r\n\r\nquick"));
    free(answer);
}

/* Before its body is sent, so that a client without a key cannot have it stored. */
static void test_guarded_route_is_refused_at_the_head(void **state) {
    struct buf out = { .max = 0 };
    (void)state;
    int fd = client_connect(shared);
    client_send(fd, "POST /locked HTTP/1.1\r\nContent-Length: 64000000\r\n" HOST "\r\n");
    assert_true(client_read_end(fd, &out));
    assert_memory_equal(out.data, "HTTP/1.1 401 ", 13);
    close(fd);
    buf_clear(&out);
    client_check(shared,
                 "POST /locked HTTP/1.1\r\nX-Key: 1\r\nContent-Length: 2\r\n" CLOSE "ab",
                 "HTTP/1.1 200", "count=2");
    client_check(shared, "GET /locked/open HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200", "quick");
    client_check(shared, "GET /locked/nothing HTTP/1.1\r\n" CLOSE, "HTTP/1.1 404", "");
    client_check(shared, "OPTIONS /locked HTTP/1.1\r\n" CLOSE, "HTTP/1.1 204", "Allow: POST");
}

static void test_head_of_get_without_body(void **state) {
    (void)state;
    char *answer = client_talk(shared, "HEAD /quick HTTP/1.1\r\n" CLOSE);
    assert_non_null(strstr(answer, "\r\nContent-Length: 5\r\n"));
    assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
    free(answer);
}

static void test_head_of_stream_ends_and_stops_the_work(void **state) {
    (void)state;
    struct buf out = { .max = 0 };
    int fd = client_connect(shared);
    client_send(fd, "HEAD /hold HTTP/1.1\r\n" HOST "\r\n");
    fixture_expect(shared, "held");
    fixture_command(shared, "bs");
    assert_true(client_read_end(fd, &out));
    assert_non_null(strstr(out.data, "text/event-stream"));
    assert_string_equal(strstr(out.data, "\r\n\r\n"), "\r\n\r\n");
    close(fd);
    fixture_expect(shared, "gone");
    buf_clear(&out);
}

static void test_path_query_and_header(void **state) {
    (void)state;
    client_check(
        shared,
        "GET /things/a%2Fb/c%20d?x=1&q=1+2%26&q=no HTTP/1.1\r\nx-Test:  v w \t\r\n" CLOSE,
        "HTTP/1.1 200", "[/things/a/b/c d id=a/b/c d q=1 2& x-test=v w other=(none)]");
    client_check(shared, "GET /things/x?q HTTP/1.1\r\nX-Test:\r\n" CLOSE, "HTTP/1.1 200",
                 "[/things/x id=x q= x-test= other=(none)]");
    client_check(shared, "GET http://127.0.0.1:9/things/x?#q=1 HTTP/1.1\r\n" CLOSE,
                 "HTTP/1.1 200", "[/things/x id=x q=(none)");
    client_check(shared, "GET /things/x HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200",
                 "\r\nX-Made-By: things\r\n");
}

static void test_bad_targets(void **state) {
    static const char *const targets[] = { "/quick%",
                                           "/quick%0",
                                           "/quick%zz",
                                           "/quick%00",
                                           "/quick?a=%00",
                                           "/quick?%f",
                                           "https://localhost/quick",
                                           "http://user@localhost/quick",
                                           "http:///quick" };
    (void)state;
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        char request[200];
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n" CLOSE, targets[i]);
        client_check(shared, request, "HTTP/1.1 400", "invalid_request_error");
    }
}

static void test_unknown_path_is_named(void **state) {
    (void)state;
    client_check(
        shared, "GET /no/such%20thing HTTP/1.1\r\n" CLOSE, "HTTP/1.1 404",
        "{\"path\":\"/no/such thing\",\"code\":\"not_found\",\"message\":\"There is no "
        "endpoint GET /no/such thing;");
    client_check(shared, "GET /things/ HTTP/1.1\r\n" CLOSE, "HTTP/1.1 404", "not_found");
}

static void test_wrong_method_says_which(void **state) {
    (void)state;
    client_check(shared, "DELETE /hold HTTP/1.1\r\n" CLOSE, "HTTP/1.1 405",
                 "\r\nAllow: GET, HEAD, POST, OPTIONS\r\n");
    client_check(shared, "GET /echo HTTP/1.1\r\n" CLOSE, "HTTP/1.1 405",
                 "use one of POST, OPTIONS.");
    client_check(shared, "OPTIONS /echo HTTP/1.1\r\n" CLOSE, "HTTP/1.1 204",
                 "\r\nAllow: POST, OPTIONS\r\n");
    client_check(shared, "OPTIONS * HTTP/1.1\r\n" CLOSE, "HTTP/1.1 204",
                 "\r\nAllow: GET, HEAD, POST");
    client_check(shared, "OPTIONS /no HTTP/1.1\r\n" CLOSE, "HTTP/1.1 404", "not_found");
    client_check(shared, "CONNECT localhost:1 HTTP/1.1\r\n" CLOSE, "HTTP/1.1 400",
                 "invalid_request");
}

static void test_bodies(void **state) {
    (void)state;
    client_check(shared, "POST /echo HTTP/1.1\r\nContent-Length: 4\r\n" CLOSE "body",
                 "HTTP/1.1 200", "\r\n\r\nbody");
    client_check(shared,
                 "POST /echo HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n" CLOSE
                 "3;a=b\r\nbod\r\n1\r\ny\r\n0\r\nTrailer: t\r\n\r\n",
                 "HTTP/1.1 200", "\r\n\r\nbody");
    client_check(shared, "POST /echo HTTP/1.1\r\nContent-Length: 0\r\n" CLOSE, "HTTP/1.1 200",
                 "Content-Length: 0\r\n");
    client_check(shared, "POST /echo HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200",
                 "Content-Length: 0\r\n");
    client_check(shared, "POST /open HTTP/1.1\r\nContent-Length: 4\r\n" CLOSE "body",
                 "HTTP/1.1 200", "\r\n\r\nopen");
    client_check(shared, "GET /quick HTTP/1.1\r\nContent-Length: 4\r\n" CLOSE "body",
                 "HTTP/1.1 200", "\r\n\r\nquick");
}

/* The same request cut at every byte, so that each state of the parser is left and entered. */
static void test_request_in_pieces(void **state) {
    static const char request[] =
        "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: "
        "chunked\r\nConnection: close\r\n\r\n4\r\nbody\r\n0\r\n\r\n";
    (void)state;
    for (size_t cut = 1; cut < sizeof request - 1; cut++) {
        struct buf out = { .max = 0 };
        int fd = client_connect(shared);
        client_send_bytes(fd, request, cut);
        client_send(fd, request + cut);
        assert_true(client_read_end(fd, &out));
        assert_non_null(strstr(out.data, "\r\n\r\nbody"));
        close(fd);
        buf_clear(&out);
    }
}

static void test_http10(void **state) {
    (void)state;
    client_check(shared, "GET /quick HTTP/1.0\r\n\r\n", "HTTP/1.1 200",
                 "\r\nConnection: close\r\n");
    struct buf out = { .max = 0 };
    int fd = client_connect(shared);
    client_send(fd, "GET /quick HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    client_read_until(fd, &out, "quick");
    assert_non_null(strstr(out.data, "\r\nConnection: keep-alive\r\n"));
    client_send(fd, "GET /hold HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    fixture_expect(shared, "held");
    buf_reset(&out);
    fixture_command(shared, "bse");
    assert_true(client_read_end(fd, &out));
    assert_null(strstr(out.data, "chunked"));
    assert_non_null(strstr(out.data, "\r\nConnection: close\r\n"));
    assert_non_null(strstr(out.data, "\r\n\r\ndata: tick\n\n"));
    close(fd);
    buf_clear(&out);
}

static void test_pipelined_one_at_a_time(void **state) {
    (void)state;
    struct buf out = { .max = 0 };
    int fd = client_connect(shared);
    client_send(fd, "GET /things/1 HTTP/1.1\r\n" HOST "\r\n\r\n\r\n"
                    "GET /hold HTTP/1.1\r\n" HOST "\r\n"
                    "POST /echo HTTP/1.1\r\nContent-Length: 4\r\n" HOST "\r\n2222\r\n"
                    "GET /hold HTTP/1.1\r\n" HOST "\r\n"
                    "GET /things/3 HTTP/1.1\r\n" CLOSE "GET /things/4 HTTP/1.1\r\n" CLOSE);
    fixture_expect(shared, "held");
    client_read_until(fd, &out, "id=1");
    fixture_command(shared, "n");
    fixture_expect(shared, "active 1");
    fixture_command(shared, "r");
    fixture_expect(shared, "held");
    client_read_until(fd, &out, "2222");
    fixture_command(shared, "bse");
    assert_true(client_read_end(fd, &out));
    assert_non_null(strstr(out.data, "0\r\n\r\nHTTP/1.1 200 OK\r\n"));
    assert_non_null(strstr(out.data, "id=3"));
    assert_null(strstr(out.data, "id=4"));
    fixture_command(shared, "n");
    fixture_expect(shared, "active 0");
    close(fd);
    buf_clear(&out);
}

/* 64 KB are kept while a request runs, the rest waits in the kernel, and none is lost. */
static void test_many_pipelined(void **state) {
    (void)state;
    char *requests = repeat("GET /quick HTTP/1.1\r\n" HOST "\r\n", 2000);
    struct buf out = { .max = 0 };
    int fd = client_connect(shared);
    client_send(fd, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    fixture_expect(shared, "held");
    client_send(fd, requests);
    client_send(fd, requests);
    client_send(fd, "GET /things/last HTTP/1.1\r\n" CLOSE);
    fixture_command(shared, "r");
    assert_true(client_read_end(fd, &out));
    size_t count = 0;
    for (const char *at = out.data; (at = strstr(at, "\r\n\r\nquick")); at++) count++;
    assert_int_equal(count, 4000);
    assert_non_null(strstr(out.data, "id=last"));
    close(fd);
    free(requests);
    buf_clear(&out);
}

static void test_expect_100_is_answered_once_and_late(void **state) {
    (void)state;
    struct buf out = { .max = 0 };
    int fd = client_connect(shared);
    client_send(fd,
                "POST /echo HTTP/1.1\r\nContent-Length: 4\r\nExpect: 100-Continue\r\n" CLOSE);
    client_read_until(fd, &out, "\r\n\r\n");
    assert_string_equal(out.data, "HTTP/1.1 100 Continue\r\n\r\n");
    client_send(fd, "body");
    buf_reset(&out);
    assert_true(client_read_end(fd, &out));
    assert_memory_equal(out.data, "HTTP/1.1 200 OK", 15);
    close(fd);
    buf_clear(&out);
}

static void test_expect_100_is_decided_first(void **state) {
    (void)state;
    client_check(shared,
                 "POST /no HTTP/1.1\r\nContent-Length: 4\r\nExpect: 100-continue\r\n" HOST
                 "\r\n",
                 "HTTP/1.1 404", "Connection: close");
    client_check(shared,
                 "POST /echo HTTP/1.1\r\nContent-Length: 1001\r\nExpect: 100-continue\r\n" HOST
                 "\r\n",
                 "HTTP/1.1 413", "1001 bytes");
    client_check(shared,
                 "POST /echo HTTP/1.1\r\nContent-Length: 4\r\nExpect: tea\r\n" CLOSE "body",
                 "HTTP/1.1 417", "100-continue");
}

/* What proxies disagree about is refused, so that nothing can be smuggled past one. */
static void test_ambiguous_requests_are_refused(void **state) {
    static const char *const requests[] = {
        "POST /echo HTTP/1.1\r\nContent-Length: 4\r\nContent-Length: 4\r\n" CLOSE "body",
        "POST /echo HTTP/1.1\r\nContent-Length: 4\r\nContent-Length: 5\r\n" CLOSE "body",
        "POST /echo HTTP/1.1\r\nContent-Length: 4, 4\r\n" CLOSE "body",
        "POST /echo HTTP/1.1\r\nContent-Length: +4\r\n" CLOSE "body",
        "POST /echo HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n" CLOSE,
        "POST /echo HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n" CLOSE,
        "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n" CLOSE,
        "POST /echo HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n" CLOSE "0\r\n\r\n",
        "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked, identity\r\n" CLOSE "0\r\n\r\n",
        "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
        "chunked\r\n" CLOSE,
        "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n" CLOSE,
        "POST /echo HTTP/1.1\r\nTransfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n" CLOSE,
        "POST /echo HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n" CLOSE "0\r\n\r\n",
        "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n" CLOSE "0\r\n\r\n",
        "POST /echo HTTP/1.1\r\nTransfer-Encoding : chunked\r\n" CLOSE "0\r\n\r\n",
        "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" CLOSE "4\nbody\n0\n\n",
        "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" CLOSE "-1\r\n",
        "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" CLOSE "fffffffffffffffff\r\n",
        "GET /quick HTTP/1.1\r\nX-Folded: a\r\n b\r\n" CLOSE,
        "GET /quick HTTP/1.1\r\n X-Folded: a\r\n" CLOSE,
        "GET /quick HTTP/1.1\r\nX-Test: a\rb\r\n" CLOSE,
        "GET /quick HTTP/1.1\r\nX Test: a\r\n" CLOSE,
        "GET /quick HTTP/1.1\r\n: a\r\n" CLOSE,
        "GET /quick HTTP/1.1\r\nNo colon\r\n" CLOSE,
        "GET /quick HTTP/1.1\nHost: localhost\nConnection: close\n\n",
        "GET /quick HTTP/1.1\r\nHost: localhost\r\n" CLOSE,
        "GET /quick HTTP/1.1\r\nConnection: close\r\n\r\n",
        "GET /quick HTTP/1.2\r\n" CLOSE,
        "GET /quick HTTP/2.0\r\n" CLOSE,
        "GET /quick HTTP/0.9\r\n" CLOSE,
        "GET /quick\r\n" CLOSE,
        "get /quick HTTP/1.1\r\n" CLOSE,
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "\x16\x03\x01\x02",
    };
    (void)state;
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        client_check(shared, requests[i], "HTTP/1.1 400", "\"code\":\"invalid_request_error\"");
    }
}

static void test_nul_is_refused(void **state) {
    static const char in_header[] = "GET /quick HTTP/1.1\r\nX-Test: a\0b\r\n" CLOSE;
    static const char in_target[] = "GET /quick\0 HTTP/1.1\r\n" CLOSE;
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct buf out = { .max = 0 };
        int fd = client_connect(shared);
        if (i == 0)
            client_send_bytes(fd, in_header, sizeof in_header - 1);
        else
            client_send_bytes(fd, in_target, sizeof in_target - 1);
        assert_true(client_read_end(fd, &out));
        assert_memory_equal(out.data, "HTTP/1.1 400", 12);
        close(fd);
        buf_clear(&out);
    }
}

static void test_foreign_hosts_and_pages_are_refused(void **state) {
    (void)state;
    client_check(shared,
                 "GET /quick HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
                 "HTTP/1.1 403", "\"code\":\"forbidden\"");
    client_check(shared, "GET http://evil.example/quick HTTP/1.1\r\n" CLOSE, "HTTP/1.1 403",
                 "forbidden");
    client_check(shared, "GET /quick HTTP/1.1\r\nOrigin: http://evil.example\r\n" CLOSE,
                 "HTTP/1.1 403", "evil.example");
    client_check(shared, "GET /quick HTTP/1.1\r\nOrigin: http://localhost\r\n" CLOSE,
                 "HTTP/1.1 200", "quick");
    char *answer = client_talk(shared,
                               "OPTIONS /echo HTTP/1.1\r\nOrigin: http://evil.example\r\n"
                               "Access-Control-Request-Method: POST\r\n" CLOSE);
    assert_memory_equal(answer, "HTTP/1.1 403", 12);
    assert_null(strstr(answer, "Access-Control"));
    free(answer);
}

static void test_big_answer_whole(void **state) {
    static const char *const requests[] = { "GET /big HTTP/1.1\r\n" CLOSE,
                                            "GET /big?copied HTTP/1.1\r\n" CLOSE,
                                            "GET /big HTTP/1.0\r\n\r\n" };
    (void)state;
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        char *answer = client_talk(shared, requests[i]);
        const char *body = strstr(answer, "\r\n\r\n") + 4;
        assert_int_equal(strspn(body, "x"), BIG_SIZE);
        assert_int_equal(strlen(body), BIG_SIZE);
        free(answer);
    }
    client_check(shared, "HEAD /big HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200",
                 "Content-Length: 8388608");
}

/* A node of the fleet chooses what headers its answers have. */
static void test_headers_of_others_have_a_limit(void **state) {
    (void)state;
    char *answer = client_talk(shared, "GET /fields HTTP/1.1\r\n" CLOSE);
    assert_memory_equal(answer, "HTTP/1.1 200", 12);
    assert_non_null(strstr(answer, "\r\nX-Own: still fits\r\n"));
    assert_non_null(strstr(answer, "taken=194 none=0"));
    free(answer);
}

static void test_upgrade_offer_on_an_ordinary_route(void **state) {
    (void)state;
    struct buf out = { .max = 0 };
    int fd = client_connect(shared);
    client_send(fd,
                "GET /quick HTTP/1.1\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n"
                "HTTP2-Settings: AA\r\n" HOST "\r\nGET /things/next HTTP/1.1\r\n" HOST "\r\n");
    client_read_until(fd, &out, "id=next");
    assert_non_null(strstr(out.data, "\r\n\r\nquick"));
    close(fd);
    buf_clear(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answer_has_its_head),
        cmocka_unit_test(test_guarded_route_is_refused_at_the_head),
        cmocka_unit_test(test_head_of_get_without_body),
        cmocka_unit_test(test_head_of_stream_ends_and_stops_the_work),
        cmocka_unit_test(test_path_query_and_header),
        cmocka_unit_test(test_bad_targets),
        cmocka_unit_test(test_unknown_path_is_named),
        cmocka_unit_test(test_wrong_method_says_which),
        cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_request_in_pieces),
        cmocka_unit_test(test_http10),
        cmocka_unit_test(test_pipelined_one_at_a_time),
        cmocka_unit_test(test_many_pipelined),
        cmocka_unit_test(test_expect_100_is_answered_once_and_late),
        cmocka_unit_test(test_expect_100_is_decided_first),
        cmocka_unit_test(test_ambiguous_requests_are_refused),
        cmocka_unit_test(test_nul_is_refused),
        cmocka_unit_test(test_foreign_hosts_and_pages_are_refused),
        cmocka_unit_test(test_big_answer_whole),
        cmocka_unit_test(test_headers_of_others_have_a_limit),
        cmocka_unit_test(test_upgrade_offer_on_an_ordinary_route),
    };
    return cmocka_run_group_tests_name("http basics", tests, fixture_set_up, fixture_tear_down);
}
