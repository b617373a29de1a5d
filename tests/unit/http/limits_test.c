/* SPDX-License-Identifier: MIT */
/* Every limit of limits.h: what just fits is served, one more is refused. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

#define CLOSE "Host: localhost\r\nConnection: close\r\n\r\n"

/* before, count times the piece, after; the status must be this one. */
static void check(const char *before, const char *piece, size_t count, const char *after,
                  const char *status) {
    char *pieces = repeat(piece, count);
    struct buf request = BUF_INIT(16 << 20);
    (void)buf_addf(&request, "%s%s%s", before, pieces, after);
    struct buf out = { .max = 0 };
    int fd = client_connect(shared);
    client_send_anyway(fd, request.data, request.len);
    assert_true(client_read_end(fd, &out));
    if (!strstr(buf_str(&out), status)) {
        fail_msg("%.60s... with %zu pieces: expected %s, got %s", before, count, status,
                 buf_str(&out));
    }
    if (strcmp(status, "HTTP/1.1 200") != 0)
        assert_non_null(strstr(out.data, "request_too_large"));
    close(fd);
    free(pieces);
    buf_clear(&out);
    buf_clear(&request);
}

static void test_request_line(void **state) {
    const size_t room = 8192 - strlen("GET /things/ HTTP/1.1");
    (void)state;
    check("GET /things/", "a", room, " HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200");
    check("GET /things/", "a", room + 1, " HTTP/1.1\r\n" CLOSE, "HTTP/1.1 414");
    check("GET /things/", "a", 1 << 20, " HTTP/1.1\r\n" CLOSE, "HTTP/1.1 414");
}

static void test_header_bytes(void **state) {
    const size_t room = 65536 - strlen("Host: localhost\r\nConnection: close\r\nX: \r\n");
    (void)state;
    check("GET /quick HTTP/1.1\r\nX: ", "a", room, "\r\n" CLOSE, "HTTP/1.1 200");
    check("GET /quick HTTP/1.1\r\nX: ", "a", room + 1, "\r\n" CLOSE, "HTTP/1.1 431");
    check("GET /quick HTTP/1.1\r\n", "a", 1 << 20, ": a\r\n" CLOSE, "HTTP/1.1 431");
    check("GET /quick HTTP/1.1\r\nX: ", "a", 8 << 20, "\r\n" CLOSE, "HTTP/1.1 431");
}

static void test_blanks_around_values_count_too(void **state) {
    (void)state;
    check("GET /quick HTTP/1.1\r\nX:", " ", 60000, "a\r\n" CLOSE, "HTTP/1.1 200");
    check("GET /quick HTTP/1.1\r\nX:", " ", 100000, "a\r\n" CLOSE, "HTTP/1.1 431");
    check("GET /quick HTTP/1.1\r\nX: a", " ", 100000, "\r\n" CLOSE, "HTTP/1.1 431");
}

static void test_header_fields(void **state) {
    (void)state;
    check("GET /quick HTTP/1.1\r\n", "X: a\r\n", 126, CLOSE, "HTTP/1.1 200");
    check("GET /quick HTTP/1.1\r\n", "X: a\r\n", 127, CLOSE, "HTTP/1.1 431");
}

static void test_body_of_the_route(void **state) {
    char length[100];
    (void)state;
    for (size_t size = ECHO_MAX; size <= ECHO_MAX + 1; size++) {
        const char *status = size == ECHO_MAX ? "HTTP/1.1 200" : "HTTP/1.1 413";
        snprintf(length, sizeof length, "POST /echo HTTP/1.1\r\nContent-Length: %zu\r\n" CLOSE,
                 size);
        check(length, "a", size, "", status);
        check("POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" CLOSE, "1\r\na\r\n", size,
              "0\r\n\r\n", status);
    }
}

/* The whole upload is on its way when it is refused; the refusal must arrive all the same. */
static void test_refusal_of_a_long_upload_arrives(void **state) {
    (void)state;
    check("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8388608\r\n\r\n", "a",
          8 << 20, "", "HTTP/1.1 413");
    check("POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: "
          "chunked\r\n\r\n400000\r\n",
          "a", 4 << 20, "\r\n0\r\n\r\n", "HTTP/1.1 413");
}

static void test_ignored_body(void **state) {
    (void)state;
    check("POST /open HTTP/1.1\r\nContent-Length: 1048576\r\n" CLOSE, "a", 1 << 20, "",
          "HTTP/1.1 200");
    check("POST /open HTTP/1.1\r\nContent-Length: 1048577\r\n" CLOSE, "a", (1 << 20) + 1, "",
          "HTTP/1.1 413");
    check("POST /open HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" CLOSE "100001\r\n", "a",
          (1 << 20) + 1, "\r\n0\r\n\r\n", "HTTP/1.1 413");
}

static void test_body_of_64_mb(void **state) {
    enum { SIZE = 64 << 20 };
    (void)state;
    char *body = repeat("b", SIZE);
    struct buf out = { .max = 0 };
    int fd = client_connect(shared);
    client_send(fd, "POST /count HTTP/1.1\r\nContent-Length: 67108864\r\n" CLOSE);
    client_send_bytes(fd, body, SIZE);
    assert_true(client_read_end(fd, &out));
    assert_non_null(strstr(out.data, "count=67108864"));
    close(fd);
    free(body);
    buf_clear(&out);
}

#define CHUNKED "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" CLOSE

static void test_chunk_extensions(void **state) {
    (void)state;
    check(CHUNKED "1;", "e", 256, "\r\na\r\n0\r\n\r\n", "HTTP/1.1 200");
    check(CHUNKED "1;", "e", 257, "\r\na\r\n0\r\n\r\n", "HTTP/1.1 413");
    check(CHUNKED "1;e=", "v", 256, "\r\na\r\n0\r\n\r\n", "HTTP/1.1 413");
    check(CHUNKED, "1;e=v\r\na\r\n", 128, "0\r\n\r\n", "HTTP/1.1 200");
    check(CHUNKED, "1;e=v\r\na\r\n", 129, "0\r\n\r\n", "HTTP/1.1 413");
}

static void test_trailers(void **state) {
    const size_t room = 8192 - strlen("T: \r\n");
    (void)state;
    check(CHUNKED "0\r\nT: ", "t", room, "\r\n\r\n", "HTTP/1.1 200");
    check(CHUNKED "0\r\nT: ", "t", room + 1, "\r\n\r\n", "HTTP/1.1 431");
    check(CHUNKED "0\r\n", "T: \r\n", 1639, "\r\n", "HTTP/1.1 431");
}

/* Bodies of all clients together: what does not fit now may come again later. */
static void test_bodies_together(void **state) {
    struct http_limits limits = limits_of_bodies(100);
    (void)state;
    struct fixture *own = fixture_start(&limits, false);
    client_check(own, "POST /echo HTTP/1.1\r\nContent-Length: 101\r\n" CLOSE, "HTTP/1.1 429",
                 "\r\nRetry-After: 1\r\n");
    char *chunk = repeat("a", 101);
    struct buf request = BUF_INIT(1000);
    (void)buf_addf(&request, CHUNKED "65\r\n%s\r\n0\r\n\r\n", chunk);
    client_check(own, request.data, "HTTP/1.1 429", "queue_full");

    struct buf out = { .max = 0 };
    int fd = client_connect(own);
    client_send(fd, "POST /hold HTTP/1.1\r\nContent-Length: 5\r\n" CLOSE "aaaaa");
    fixture_expect(own, "held");
    client_check(own, "POST /echo HTTP/1.1\r\nContent-Length: 96\r\n" CLOSE, "HTTP/1.1 429",
                 "later");
    fixture_command(own, "r");
    assert_true(client_read_end(fd, &out));
    buf_reset(&request);
    (void)buf_addf(&request, "POST /echo HTTP/1.1\r\nContent-Length: 100\r\n" CLOSE "%.100s",
                   chunk);
    client_check(own, request.data, "HTTP/1.1 200", "aaaa");
    close(fd);
    free(chunk);
    buf_clear(&request);
    buf_clear(&out);
    fixture_stop(own);
}

/* Large bodies leave the reserve to small ones. */
static void test_small_bodies_have_a_reserve(void **state) {
    struct http_limits limits = http_limits_default;
    (void)state;
    limits.bodies_total = 100;
    limits.bodies_reserve = 20;
    limits.small_body = 10;
    struct fixture *own = fixture_start(&limits, false);
    struct buf out = { .max = 0 };
    int fd = client_connect(own), small = client_connect(own);
    client_send(fd, "POST /hold HTTP/1.1\r\nContent-Length: 96\r\n" CLOSE);
    char *most = repeat("a", 96);
    client_send_bytes(fd, most, 96);
    fixture_expect(own, "held");
    client_check(own, "POST /echo HTTP/1.1\r\nContent-Length: 11\r\n" CLOSE, "HTTP/1.1 429",
                 "later");
    client_check(own, "POST /echo HTTP/1.1\r\nContent-Length: 10\r\n" CLOSE "bbbbbbbbbb",
                 "HTTP/1.1 200", "bbbbbbbbbb");
    client_send(small, CHUNKED "a\r\ncccccccccc\r\n1\r\n");
    client_send(small, "c");
    assert_true(client_read_end(small, &out)); /* small no longer */
    assert_non_null(strstr(buf_str(&out), "HTTP/1.1 429"));
    buf_clear(&out);
    fixture_command(own, "r");
    assert_true(client_read_end(fd, &out));
    close(fd);
    close(small);
    free(most);
    buf_clear(&out);
    fixture_stop(own);
}

/* ---- bodies that come too slowly, while others want their room ---- */

static int begin_body(const struct fixture *f) {
    char *some = repeat("a", 90);
    int fd = client_connect(f);
    client_send(fd, "POST /count HTTP/1.1\r\nContent-Length: 96\r\n" CLOSE);
    client_send_bytes(fd, some, 90);
    free(some);
    return fd;
}

static bool has_room(const struct fixture *f) {
    static const char request[] = "POST /echo HTTP/1.1\r\nContent-Length: 20\r\n" CLOSE
                                  "bbbbbbbbbbbbbbbbbbbb";
    char *answer = client_talk(f, request);
    bool has = strncmp(answer, "HTTP/1.1 200", 12) == 0;
    assert_true(has || strncmp(answer, "HTTP/1.1 429", 12) == 0);
    free(answer);
    return has;
}

static void test_a_body_that_stopped_makes_room_for_others(void **state) {
    struct http_limits limits = limits_of_bodies(100);
    struct buf out = { .max = 0 };
    (void)state;
    limits.body_slack = 100;
    struct fixture *own = fixture_start(&limits, false);
    int fd = begin_body(own);
    msec begin = clock_boottime();
    while (!has_room(own)) assert_true(clock_boottime() - begin < 20000);
    (void)client_read_end(fd, &out);
    assert_memory_equal(buf_str(&out), "HTTP/1.1 408", 12);
    assert_true(clock_boottime() - begin < 20000); /* without that after 30 s */
    close(fd);
    buf_clear(&out);
    fixture_stop(own);
}

static void test_a_body_that_comes_keeps_its_room(void **state) {
    struct http_limits limits = limits_of_bodies(100);
    struct buf out = { .max = 0 };
    (void)state;
    limits.body_slack = limits.body; /* however slow this machine is */
    struct fixture *own = fixture_start(&limits, false);
    int fd = begin_body(own);
    while (has_room(own)) { /* until it has come */
    }
    assert_false(has_room(own));
    client_send(fd, "aaaaaa");
    assert_true(client_read_end(fd, &out));
    assert_non_null(strstr(out.data, "count=96"));
    close(fd);
    buf_clear(&out);
    fixture_stop(own);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_line),
        cmocka_unit_test(test_header_bytes),
        cmocka_unit_test(test_blanks_around_values_count_too),
        cmocka_unit_test(test_header_fields),
        cmocka_unit_test(test_body_of_the_route),
        cmocka_unit_test(test_refusal_of_a_long_upload_arrives),
        cmocka_unit_test(test_ignored_body),
        cmocka_unit_test(test_body_of_64_mb),
        cmocka_unit_test(test_chunk_extensions),
        cmocka_unit_test(test_trailers),
        cmocka_unit_test(test_bodies_together),
        cmocka_unit_test(test_small_bodies_have_a_reserve),
        cmocka_unit_test(test_a_body_that_stopped_makes_room_for_others),
        cmocka_unit_test(test_a_body_that_comes_keeps_its_room),
    };
    return cmocka_run_group_tests_name("http limits", tests, fixture_set_up, fixture_tear_down);
}
