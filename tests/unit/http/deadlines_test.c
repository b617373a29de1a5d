/* SPDX-License-Identifier: MIT */
/* Deadlines, made short by limits of the tests' own. What is waited for is always an event. */
#include "fixture.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

#define HOST "Host: localhost\r\n"
#define CLOSE HOST "Connection: close\r\n\r\n"

/* PATIENT: where the client must be in time itself; a machine may hold it up for a second. */
enum { SHORT = 150, PATIENT = 3000, LONG = 60 * 1000 };

static struct http_limits long_limits(void) {
    struct http_limits limits = http_limits_default;
    limits.headers = limits.body = limits.keep_alive = limits.write_stall = LONG;
    return limits;
}

/* Send a byte whenever the server has been silent for a while, until it is fed up. */
static void drip(int fd, struct buf *out, const char *byte) {
    struct pollfd waiting = { .fd = fd, .events = POLLIN };
    for (int i = 0; poll(&waiting, 1, 20) == 0; i++) {
        assert_true(i < 500);
        client_send_anyway(fd, byte, 1);
    }
    (void)client_read_end(fd, out);
}

static void test_dripped_head_is_cut(void **state) {
    struct http_limits limits = long_limits();
    struct buf out = { .max = 0 };
    (void)state;
    limits.headers = SHORT;
    struct fixture *f = fixture_start(&limits, false);
    msec begin = clock_boottime();
    int fd = client_connect(f);
    client_send(fd, "GET /quick HTTP/1.1\r\nX-Drip: ");
    drip(fd, &out, "d");
    assert_in_range(clock_boottime() - begin, SHORT - 5, LONG / 2);
    assert_memory_equal(out.data, "HTTP/1.1 408", 12);
    assert_non_null(strstr(out.data, "in time"));
    close(fd);
    buf_clear(&out);
    fixture_stop(f);
}

static void test_dripped_body_is_cut(void **state) {
    struct http_limits limits = long_limits();
    struct buf out = { .max = 0 };
    (void)state;
    limits.body = SHORT;
    struct fixture *f = fixture_start(&limits, false);
    int fd = client_connect(f);
    client_send(fd, "POST /count HTTP/1.1\r\nContent-Length: 1000000\r\n" HOST "\r\n");
    drip(fd, &out, "d");
    assert_memory_equal(out.data, "HTTP/1.1 408", 12);
    close(fd);
    buf_clear(&out);
    fixture_stop(f);
}

/* Each body_rate bytes earn another second: the same deadline does not cut a body that moves.
 */
static void test_moving_body_earns_time(void **state) {
    struct http_limits limits = long_limits();
    struct buf out = { .max = 0 }, first = { .max = 0 };
    (void)state;
    limits.body = PATIENT;
    limits.body_rate = 100; /* 10 bytes earn 100 ms */
    struct fixture *f = fixture_start(&limits, false);
    int fd = client_connect(f);
    struct pollfd still = { .fd = client_connect(f), .events = POLLIN };
    client_send(fd, "POST /count HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" CLOSE);
    client_send(still.fd, "POST /count HTTP/1.1\r\nContent-Length: 2000\r\n" CLOSE);
    while (poll(&still, 1, 20) == 0) client_send(fd, "a\r\nhhhhhhhhhh\r\n");
    (void)client_read_end(still.fd, &first); /* its deadline has passed, so the other's would */
    assert_memory_equal(first.data, "HTTP/1.1 408", 12);
    client_send(fd, "0\r\n\r\n");
    assert_true(client_read_end(fd, &out));
    assert_non_null(strstr(out.data, "count="));
    close(fd);
    close(still.fd);
    buf_clear(&first);
    buf_clear(&out);
    fixture_stop(f);
}

/* Nobody earns the time for a long silence by being fast before. */
static void test_a_body_that_stops_is_cut(void **state) {
    struct http_limits limits = long_limits();
    struct buf out = { .max = 0 };
    (void)state;
    limits.body = SHORT;
    limits.body_rate = 100; /* the 1,000 bytes below would earn 10 s */
    struct fixture *f = fixture_start(&limits, false);
    int fd = client_connect(f);
    char *half = repeat("h", 1000);
    msec begin = clock_boottime();
    client_send(fd, "POST /count HTTP/1.1\r\nContent-Length: 2000\r\n" CLOSE);
    client_send(fd, half);
    (void)client_read_end(fd, &out);
    assert_memory_equal(out.data, "HTTP/1.1 408", 12);
    assert_in_range(clock_boottime() - begin, SHORT - 5, 9000);
    close(fd);
    free(half);
    buf_clear(&out);
    fixture_stop(f);
}

static void test_silent_connections_are_closed(void **state) {
    struct http_limits limits = long_limits();
    struct buf out = { .max = 0 };
    (void)state;
    limits.keep_alive = PATIENT;
    struct fixture *f = fixture_start(&limits, false);
    int fresh = client_connect(f);
    int used = client_connect(f);
    assert_true(client_read_end(fresh, &out));
    assert_int_equal(out.len, 0);
    client_send_anyway(used, "\r\n", 2); /* empty lines begin no request */
    close(used);
    used = client_connect(f);
    msec begin = clock_boottime();
    client_send(used, "GET /quick HTTP/1.1\r\n" HOST "\r\n");
    assert_true(client_read_end(used, &out));
    assert_in_range(clock_boottime() - begin, PATIENT - 5, LONG / 2);
    assert_non_null(strstr(out.data, "quick"));
    close(fresh);
    close(used);
    buf_clear(&out);
    fixture_stop(f);
}

/* Neither a waiting nor a silent streaming request has a deadline. */
static void test_running_request_has_no_deadline(void **state) {
    struct http_limits limits = long_limits();
    struct buf clock = { .max = 0 }, out = { .max = 0 };
    (void)state;
    limits.headers = limits.body = limits.write_stall = limits.linger = 20;
    limits.keep_alive = 4 * SHORT;
    struct fixture *f = fixture_start(&limits, false);
    int waits = client_connect(f);
    client_send(waits, "GET /hold HTTP/1.1\r\n" CLOSE);
    fixture_expect(f, "held");
    int fd = client_connect(f);
    assert_true(client_read_end(fd, &clock)); /* so long that all others have passed */
    close(fd);
    fixture_command(f, "bs");
    client_read_until(waits, &out, "tick");
    fd = client_connect(f);
    assert_true(client_read_end(fd, &clock));
    close(fd);
    fixture_command(f, "se");
    assert_true(client_read_end(waits, &out));
    assert_non_null(strstr(out.data, "0\r\n\r\n"));
    close(waits);
    buf_clear(&clock);
    buf_clear(&out);
    fixture_stop(f);
}

static int connect_narrow(struct fixture *f, const char *request) {
    int fd = client_connect(f);
    int size = 16 * 1024;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    client_send(fd, request);
    return fd;
}

static void test_client_that_stops_reading_is_dropped(void **state) {
    struct http_limits limits = long_limits();
    (void)state;
    limits.write_stall = SHORT;
    struct fixture *f = fixture_start(&limits, false);
    char *pieces = repeat("w", 20);
    int fd = connect_narrow(f, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    fixture_expect(f, "held");
    fixture_command(f, "b");
    fixture_command(f, pieces);
    fixture_expect(f, "pressure 1");
    fixture_expect(f, "gone");
    close(fd);
    fd = connect_narrow(f, "GET /big HTTP/1.1\r\n" HOST "\r\n"); /* answered, not sent */
    struct pollfd waiting = { .fd = fd, .events = 0 };
    assert_int_equal(poll(&waiting, 1, LONG), 1); /* the reset */
    close(fd);
    free(pieces);
    fixture_stop(f);
}

/* Reading slowly is not standing still: the answer takes several times the deadline. */
static void test_client_that_reads_slowly_is_served(void **state) {
    enum { STALL = PATIENT };
    struct http_limits limits = long_limits();
    (void)state;
    limits.write_stall = STALL;
    struct fixture *f = fixture_start(&limits, false);
    int fd = connect_narrow(f, "GET /big HTTP/1.1\r\n" CLOSE);
    char *piece = repeat(" ", 1 << 20);
    struct pollfd never = { .fd = -1 };
    msec begin = clock_boottime();
    size_t total = 0;
    bool rested = false;
    for (;;) {
        /* The client's slowness is the subject; nothing is waited for. */
        msec age = clock_boottime() - begin;
        if (age > STALL * 5 / 4 && !rested) {
            (void)poll(&never, 1, STALL * 2 / 5);
            rested = true;
        } else if (!rested) {
            (void)poll(&never, 1, STALL / 200);
        }
        ssize_t n = recv(fd, piece, 40000, 0);
        assert_true(n >= 0);
        if (n == 0) break;
        total += (size_t)n;
    }
    assert_true(total > BIG_SIZE);
    assert_true(rested);
    close(fd);
    free(piece);
    fixture_stop(f);
}

/* After the last answer the server goes on reading for a while, not for ever. */
static void test_lingering_ends(void **state) {
    struct http_limits limits = long_limits();
    struct buf out = { .max = 0 };
    (void)state;
    limits.linger = SHORT;
    struct fixture *f = fixture_start(&limits, false);
    int fd = client_connect(f);
    client_send(fd, "POST /no HTTP/1.1\r\nContent-Length: 100000000\r\n" HOST "\r\n");
    assert_true(client_read_end(fd, &out)); /* the FIN behind the answer */
    assert_memory_equal(out.data, "HTTP/1.1 404", 12);
    char *piece = repeat("p", 4096);
    struct pollfd waiting = { .fd = fd, .events = 0 };
    for (int i = 0; poll(&waiting, 1, 10) == 0; i++) { /* until it is reset */
        assert_true(i < 1000);
        client_send_anyway(fd, piece, 4096);
    }
    close(fd);
    free(piece);
    buf_clear(&out);
    fixture_stop(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dripped_head_is_cut),
        cmocka_unit_test(test_dripped_body_is_cut),
        cmocka_unit_test(test_moving_body_earns_time),
        cmocka_unit_test(test_a_body_that_stops_is_cut),
        cmocka_unit_test(test_silent_connections_are_closed),
        cmocka_unit_test(test_running_request_has_no_deadline),
        cmocka_unit_test(test_client_that_stops_reading_is_dropped),
        cmocka_unit_test(test_client_that_reads_slowly_is_served),
        cmocka_unit_test(test_lingering_ends),
    };
    return cmocka_run_group_tests_name("http deadlines", tests, NULL, NULL);
}
