/* SPDX-License-Identifier: MIT */
/* Streamed answers, clients that leave or do not read, shutting down, other protocols. */
#include "fixture.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOST "Host: localhost\r\n"
#define CLOSE HOST "Connection: close\r\n\r\n"

static int hold(struct fixture *own, const char *request) {
    int fd = client_connect(own);
    client_send(fd, request);
    fixture_expect(own, "held");
    return fd;
}

static void expect_active(struct fixture *own, const char *line) {
    fixture_command(own, "n");
    fixture_expect(own, line);
}

/* Once this is answered the server has seen whatever was sent before it. */
static void settle(struct fixture *own) {
    client_check(own, "GET /quick HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200", "quick");
}

static void reset(int fd) {
    struct linger at_once = { .l_onoff = 1 };
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(fd);
}

static void test_stream_is_chunked_and_keeps_the_connection(void **state) {
    struct buf out = { .max = 0 };
    (void)state;
    int fd = hold(shared, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    fixture_command(shared, "b");
    client_read_until(fd, &out, "\r\n\r\n"); /* the head goes out before the first byte */
    assert_non_null(strstr(out.data, "\r\nTransfer-Encoding: chunked\r\n"));
    assert_non_null(strstr(out.data, "\r\nContent-Type: text/event-stream\r\n"));
    assert_non_null(strstr(out.data, "\r\nCache-Control: no-cache\r\n"));
    assert_non_null(strstr(out.data, "\r\nX-Accel-Buffering: no\r\n"));
    fixture_command(shared, "s");
    client_read_until(fd, &out, "tick\n\n\r\n");
    fixture_command(shared, "se");
    client_read_until(fd, &out, "0\r\n\r\n");
    assert_string_equal(strstr(out.data, "\r\n\r\n") + 4,
                        "c\r\ndata: tick\n\n\r\nc\r\ndata: tick\n\n\r\n0\r\n\r\n");
    client_send(fd, "GET /quick HTTP/1.1\r\n" HOST "\r\n");
    client_read_until(fd, &out, "quick");
    close(fd);
    buf_clear(&out);
}

static void test_client_leaves_while_waiting(void **state) {
    (void)state;
    close(hold(shared, "GET /hold HTTP/1.1\r\n" HOST "\r\n"));
    fixture_expect(shared, "gone");
    reset(hold(shared, "POST /hold HTTP/1.1\r\nContent-Length: 1\r\n" HOST "\r\nx"));
    fixture_expect(shared, "gone");
    int fd = hold(shared,
                  "GET /hold HTTP/1.1\r\n" HOST "\r\nGET /quick HTTP/1.1\r\n" HOST "\r\n");
    close(fd); /* with another request behind the first */
    fixture_expect(shared, "gone");
    expect_active(shared, "active 0");
}

static void test_client_leaves_a_stream(void **state) {
    struct buf out = { .max = 0 };
    (void)state;
    int fd = hold(shared, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    fixture_command(shared, "bs");
    client_read_until(fd, &out, "tick");
    close(fd);
    fixture_expect(shared, "gone");
    fd = hold(shared, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    fixture_command(shared, "bs");
    reset(fd);
    fixture_expect(shared, "gone");
    expect_active(shared, "active 0");
    buf_clear(&out);
}

static int hold_finished(const char *request) {
    int fd = hold(shared, request);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    settle(shared);
    expect_active(shared, "active 1");
    return fd;
}

static void test_finished_client_gets_its_answer(void **state) {
    struct buf out = { .max = 0 };
    (void)state;
    int fd = hold_finished("GET /hold HTTP/1.1\r\n" HOST "\r\n");
    fixture_command(shared, "r");
    assert_true(client_read_end(fd, &out));
    assert_memory_equal(out.data, "HTTP/1.1 100 Continue\r\n\r\n", 25);
    assert_non_null(strstr(out.data, "\r\n\r\nHTTP/1.1 200 OK\r\n"));
    assert_string_equal(out.data + out.len - 4, "held");
    close(fd);
    buf_clear(&out);
}

/* Zeros before the size of a chunk say that the stream goes on. */
static void test_finished_client_gets_its_stream(void **state) {
    struct buf out = { .max = 0 };
    (void)state;
    int fd = hold(shared, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    fixture_command(shared, "bs");
    client_read_until(fd, &out, "tick\n\n\r\n");
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    client_read_until(fd, &out, "tick\n\n\r\n0");
    fixture_command(shared, "s");
    client_read_until(fd, &out, "0c\r\ndata: tick\n\n\r\n");
    fixture_command(shared, "e");
    assert_true(client_read_end(fd, &out));
    assert_string_equal(out.data + out.len - 5, "0\r\n\r\n");
    close(fd);
    buf_clear(&out);
}

/* Also one that does not read what is sent to find that out. */
static void test_finished_client_leaves(void **state) {
    struct buf out = { .max = 0 };
    (void)state;
    int fd = hold_finished("GET /hold HTTP/1.1\r\n" HOST "\r\n");
    close(fd);
    fixture_expect(shared, "gone");
    fd = hold_finished("GET /hold HTTP/1.1\r\n" HOST "\r\n");
    client_read_until(fd, &out, "\r\n\r\n");
    close(fd);
    fixture_expect(shared, "gone");
    expect_active(shared, "active 0");
    buf_clear(&out);
}

/* Its answer has nothing that could be sent before it. */
static void test_finished_client_of_http_10_has_left(void **state) {
    (void)state;
    int fd = hold(shared, "GET /hold HTTP/1.0\r\n" HOST "\r\n");
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    fixture_expect(shared, "gone");
    close(fd);
}

/* A handler that did not ask to be told may go on until it ends its exchange. */
static void test_deaf_exchange_outlives_its_client(void **state) {
    static const char *const ends[] = { "bswe", "r" };
    (void)state;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        close(hold(shared, "GET /hold?late=1 HTTP/1.1\r\n" HOST "\r\n"));
        settle(shared);
        expect_active(shared, "active 1");
        fixture_command(shared, ends[i]);
        expect_active(shared, "active 0");
    }
}

static void test_asking_late_is_answered(void **state) {
    (void)state;
    close(hold(shared, "GET /hold?late=1 HTTP/1.1\r\n" HOST "\r\n"));
    settle(shared);
    fixture_command(shared, "bsg");
    fixture_expect(shared, "gone");
    expect_active(shared, "active 0");
}

static int connect_narrow(struct fixture *own, const char *request) {
    int fd = client_connect(own);
    int size = 16 * 1024;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    client_send(fd, request);
    return fd;
}

/* Pieces enough to pass 256 KB of queue behind what the kernel takes, too few for 1 MB. */
static void write_until_pressure(struct fixture *own, const char *piece) {
    for (int sent = 0;; sent++) {
        assert_true(sent < 400);
        fixture_command(own, piece);
        fixture_command(own, "n");
        char *line = fixture_next(own);
        bool pressure = strcmp(line, "pressure 1") == 0;
        if (!pressure) assert_memory_equal(line, "active", 6);
        free(line);
        if (pressure) break;
    }
    char *line = fixture_next(own); /* the answer to the last "n" */
    assert_memory_equal(line, "active", 6);
    free(line);
}

static void test_pressure_comes_and_goes(void **state) {
    struct buf out = { .max = 0 };
    (void)state;
    int fd = connect_narrow(shared, "GET /hold HTTP/1.1\r\n" CLOSE);
    fixture_expect(shared, "held");
    fixture_command(shared, "b");
    write_until_pressure(shared, "w");
    client_read_until(fd, &out, "ppppp");
    fixture_command(shared, "n");
    fixture_expect(shared, "active 1"); /* still held: nobody else is stopped by it */
    settle(shared);
    fixture_command(shared, "s");
    client_read_until(fd, &out, "tick");
    fixture_expect(shared, "pressure 0");
    fixture_command(shared, "e");
    assert_true(client_read_end(fd, &out));
    assert_non_null(memmem(out.data, out.len, "0\r\n\r\n", 5));
    close(fd);
    buf_clear(&out);
}

static void test_too_slow_client_is_dropped(void **state) {
    char *pieces = repeat("w", 400);
    (void)state;
    int fd = connect_narrow(shared, "GET /hold HTTP/1.1\r\n" CLOSE);
    fixture_expect(shared, "held");
    fixture_command(shared, "b");
    fixture_command(shared, pieces);
    fixture_expect(shared, "pressure 1");
    fixture_expect(shared, "gone");
    expect_active(shared, "active 0");
    struct buf out = { .max = 0 };
    assert_false(client_read_end(fd, &out));
    close(fd);
    free(pieces);
    buf_clear(&out);
}

/* The total limits whole answers, too. */
static void test_queues_together(void **state) {
    struct http_limits limits = http_limits_default;
    (void)state;
    limits.queues_total = 1 << 20;
    struct fixture *own = fixture_start(&limits, false);
    int fd = connect_narrow(own, "GET /big HTTP/1.1\r\n" CLOSE);
    struct buf out = { .max = 0 };
    assert_false(client_read_end(fd, &out));
    assert_true(out.len < BIG_SIZE);
    close(fd);
    settle(own);
    buf_clear(&out);
    fixture_stop(own);
}

static void test_complete_answer_reaches_a_finished_client(void **state) {
    struct buf out = { .max = 0 };
    (void)state;
    int fd = connect_narrow(shared, "GET /big HTTP/1.1\r\n" HOST "\r\n");
    client_read_until(fd, &out, "xxx");
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    settle(shared);
    assert_true(client_read_end(fd, &out));
    assert_int_equal(strspn(strstr(out.data, "xxx"), "x"), BIG_SIZE);
    close(fd);
    buf_clear(&out);
}

static void test_close_tells_everybody(void **state) {
    struct buf out = { .max = 0 };
    (void)state;
    struct fixture *own = fixture_start(NULL, false);
    int fd = hold(own, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    int streaming = hold(own, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    int half = client_connect(own);
    client_send(half, "POST /echo HTTP/1.1\r\nContent-Length: 9\r\n" HOST "\r\nhalf");
    settle(own);
    fixture_command(own, "bsq");
    fixture_expect(own, "gone");
    fixture_expect(own, "gone");
    (void)client_read_end(half, &out);
    close(fd);
    close(streaming);
    close(half);
    buf_clear(&out);
    fixture_join(own);
}

/* Out of descriptors clients wait in the kernel's queue; none is dropped. */
static void test_out_of_descriptors(void **state) {
    struct buf out = { .max = 0 };
    (void)state;
    struct fixture *own = fixture_start(NULL, false);
    fixture_command(own, "f");
    fixture_expect(own, "full");
    int first = client_connect(own);
    int second = client_connect(own);
    client_send(first, "GET /quick HTTP/1.1\r\n" CLOSE);
    client_send(second, "GET /quick HTTP/1.1\r\n" CLOSE);
    for (int i = 0; i < 3; i++) expect_active(own, "active 0");
    struct pollfd waiting = { .fd = first, .events = POLLIN };
    assert_int_equal(poll(&waiting, 1, 0), 0);
    fixture_command(own, "F");
    assert_true(client_read_end(first, &out));
    client_read_until(second, &out, "quick");
    close(first);
    close(second);
    buf_clear(&out);
    fixture_stop(own);
}

/* It pauses rather than to try again and again. */
static void test_out_of_descriptors_accepting_pauses(void **state) {
    struct http_limits limits = http_limits_default;
    struct buf out = { .max = 0 };
    (void)state;
    limits.accept_pause = 60 * 1000;
    struct fixture *own = fixture_start(&limits, false);
    int old = client_connect(own);
    client_send(old, "GET /things/0 HTTP/1.1\r\n" HOST "\r\n");
    client_read_until(old, &out, "id=0");
    fixture_command(own, "f");
    fixture_expect(own, "full");
    int late = client_connect(own);
    client_send(late, "GET /quick HTTP/1.1\r\n" CLOSE);
    for (int i = 0; i < 3; i++) expect_active(own, "active 0");
    fixture_command(own, "F");
    client_send(old, "GET /things/1 HTTP/1.1\r\n" HOST "\r\n"); /* the others are served */
    client_read_until(old, &out, "id=1");
    for (int i = 0; i < 3; i++) expect_active(own, "active 0");
    struct pollfd waiting = { .fd = late, .events = POLLIN };
    assert_int_equal(poll(&waiting, 1, 0), 0);
    close(late);
    close(old);
    buf_clear(&out);
    fixture_stop(own);
}

#define UPGRADE "GET /upgrade HTTP/1.1\r\nUpgrade: echo\r\nConnection: Upgrade\r\n" HOST "\r\n"

static void test_upgrade_hands_the_bytes_over(void **state) {
    struct buf out = { .max = 0 };
    (void)state;
    int fd = client_connect(shared);
    client_send(fd, UPGRADE "early"); /* behind the request, in one packet with it */
    client_read_until(fd, &out, "early");
    fixture_expect(shared, "upgraded");
    assert_memory_equal(out.data, "HTTP/1.1 101 Switching Protocols\r\n", 34);
    assert_non_null(strstr(out.data, "\r\nUpgrade: echo\r\nConnection: Upgrade\r\n"));
    assert_non_null(strstr(out.data, "\r\nX-Proof: yes\r\n"));
    assert_null(strstr(out.data, "Content-Length"));
    assert_string_equal(strstr(out.data, "\r\n\r\n"), "\r\n\r\nearly");
    client_send_bytes(fd, "\0GET / HTTP/1.1\r\n\r\n", 19);
    client_read_until(fd, &out, "GET / HTTP/1.1\r\n\r\n");
    expect_active(shared, "active 0");
    close(fd);
    fixture_expect(shared, "closed");
    buf_clear(&out);
}

static void test_upgraded_stream_closed_by_the_server(void **state) {
    struct buf out = { .max = 0 };
    (void)state;
    int fd = client_connect(shared);
    client_send(fd, UPGRADE);
    fixture_expect(shared, "upgraded");
    fixture_command(shared, "Wc");
    assert_true(client_read_end(fd, &out));
    assert_int_equal(strspn(strstr(out.data, "ppp"), "p"), PIECE_SIZE);
    close(fd);
    fixture_expect(shared, "closed");
    buf_clear(&out);
}

static void test_upgraded_stream_has_the_limits_of_others(void **state) {
    char *pieces = repeat("W", 400);
    (void)state;
    int fd = connect_narrow(shared, UPGRADE);
    fixture_expect(shared, "upgraded");
    fixture_command(shared, pieces);
    fixture_expect(shared, "pressure 1");
    fixture_expect(shared, "closed");
    close(fd);
    free(pieces);
}

static void test_upgraded_stream_is_closed_with_the_server(void **state) {
    (void)state;
    struct fixture *own = fixture_start(NULL, false);
    int fd = client_connect(own);
    client_send(fd, UPGRADE);
    fixture_expect(own, "upgraded");
    fixture_command(own, "q");
    fixture_expect(own, "closed");
    close(fd);
    fixture_join(own);
}

static void test_upgrade_from_a_foreign_page_is_refused(void **state) {
    (void)state;
    client_check(shared,
                 "GET /upgrade HTTP/1.1\r\nUpgrade: echo\r\nConnection: Upgrade, close\r\n"
                 "Origin: https://evil.example\r\n" HOST "\r\n",
                 "HTTP/1.1 403", "evil.example");
}

static void test_cors_opens_the_server(void **state) {
    (void)state;
    struct fixture *own = fixture_start(NULL, true);
    client_check(own, "GET /quick HTTP/1.1\r\nOrigin: http://evil.example\r\n" CLOSE,
                 "HTTP/1.1 200", "\r\nAccess-Control-Allow-Origin: *\r\n");
    client_check(own, "GET /no HTTP/1.1\r\nOrigin: null\r\n" CLOSE, "HTTP/1.1 404",
                 "\r\nAccess-Control-Allow-Origin: *\r\n");
    client_check(own, "GET /quick HTTP/1.1\r\nHost: box.example\r\nConnection: close\r\n\r\n",
                 "HTTP/1.1 200", "quick");
    char *answer = client_talk(own, "OPTIONS /hold HTTP/1.1\r\nOrigin: http://app.example\r\n"
                                    "Access-Control-Request-Method: POST\r\n"
                                    "Access-Control-Request-Headers: authorization, x-b\r\n"
                                    "Access-Control-Request-Private-Network: true\r\n" CLOSE);
    assert_memory_equal(answer, "HTTP/1.1 204", 12);
    assert_non_null(strstr(answer, "\r\nAccess-Control-Allow-Origin: *\r\n"));
    assert_non_null(
        strstr(answer, "\r\nAccess-Control-Allow-Methods: GET, HEAD, POST, OPTIONS"));
    assert_non_null(strstr(answer, "\r\nAccess-Control-Allow-Headers: authorization, x-b\r\n"));
    assert_non_null(strstr(answer, "\r\nAccess-Control-Allow-Private-Network: true\r\n"));
    assert_null(strstr(answer, "Content-Length"));
    free(answer);
    answer = client_talk(own, "GET /quick HTTP/1.1\r\n" CLOSE);
    assert_null(strstr(answer, "Access-Control"));
    free(answer);
    fixture_stop(own);
}

static void test_an_allowed_page_may_read_the_answer(void **state) {
    (void)state;
    char *answer = client_talk(shared, "GET /quick HTTP/1.1\r\n"
                                       "Origin: https://a.friend.example\r\n" CLOSE);
    assert_memory_equal(answer, "HTTP/1.1 200", 12);
    assert_non_null(
        strstr(answer, "\r\nAccess-Control-Allow-Origin: https://a.friend.example\r\n"));
    assert_non_null(strstr(answer, "\r\nVary: Origin\r\n"));
    free(answer);
    client_check(
        shared, "GET /quick HTTP/1.1\r\nHost: friend.example:1234\r\nConnection: close\r\n\r\n",
        "HTTP/1.1 200", "quick");
}

/* Its preflight cannot carry the key, so it is let through for all. */
static void test_an_app_with_a_key_may_read_the_answer(void **state) {
    (void)state;
    client_check(shared, "GET /quick HTTP/1.1\r\nOrigin: app://a\r\n" CLOSE, "HTTP/1.1 403",
                 "API key");
    client_check(shared, "GET /quick HTTP/1.1\r\nOrigin: app://a\r\nX-Key: 1\r\n" CLOSE,
                 "HTTP/1.1 200", "\r\nAccess-Control-Allow-Origin: app://a\r\n");
    client_check(shared,
                 "OPTIONS /hold HTTP/1.1\r\nOrigin: app://a\r\n"
                 "Access-Control-Request-Method: POST\r\n" CLOSE,
                 "HTTP/1.1 204", "\r\nAccess-Control-Allow-Origin: app://a\r\n");
    client_check(shared,
                 "OPTIONS /hold HTTP/1.1\r\nOrigin: https://evil.example\r\n"
                 "Access-Control-Request-Method: POST\r\n" CLOSE,
                 "HTTP/1.1 403", "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stream_is_chunked_and_keeps_the_connection),
        cmocka_unit_test(test_client_leaves_while_waiting),
        cmocka_unit_test(test_client_leaves_a_stream),
        cmocka_unit_test(test_finished_client_gets_its_answer),
        cmocka_unit_test(test_finished_client_gets_its_stream),
        cmocka_unit_test(test_finished_client_leaves),
        cmocka_unit_test(test_finished_client_of_http_10_has_left),
        cmocka_unit_test(test_deaf_exchange_outlives_its_client),
        cmocka_unit_test(test_asking_late_is_answered),
        cmocka_unit_test(test_pressure_comes_and_goes),
        cmocka_unit_test(test_too_slow_client_is_dropped),
        cmocka_unit_test(test_queues_together),
        cmocka_unit_test(test_complete_answer_reaches_a_finished_client),
        cmocka_unit_test(test_close_tells_everybody),
        cmocka_unit_test(test_out_of_descriptors),
        cmocka_unit_test(test_out_of_descriptors_accepting_pauses),
        cmocka_unit_test(test_upgrade_hands_the_bytes_over),
        cmocka_unit_test(test_upgraded_stream_closed_by_the_server),
        cmocka_unit_test(test_upgraded_stream_has_the_limits_of_others),
        cmocka_unit_test(test_upgraded_stream_is_closed_with_the_server),
        cmocka_unit_test(test_upgrade_from_a_foreign_page_is_refused),
        cmocka_unit_test(test_cors_opens_the_server),
        cmocka_unit_test(test_an_allowed_page_may_read_the_answer),
        cmocka_unit_test(test_an_app_with_a_key_may_read_the_answer),
    };
    return cmocka_run_group_tests_name("http streams", tests, fixture_set_up,
                                       fixture_tear_down);
}
