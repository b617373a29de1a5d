/* SPDX-License-Identifier: MIT */
/* One server on several ports: what they share, and what ends with one of them. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fixture.h"

#define HOST "Host: localhost\r\n"
#define CLOSE HOST "Connection: close\r\n\r\n"

/* The fixture as it is to be seen through another of its ports. */
static struct fixture port_of(const struct fixture *f, int port) {
    struct fixture other = *f;
    other.port = port;
    return other;
}

static struct fixture listen_too(struct fixture *f) {
    fixture_command(f, "l");
    char *line = fixture_next(f);
    struct fixture other = port_of(f, (int)strtol(line, NULL, 10));
    free(line);
    assert_true(other.port > 0 && other.port != f->port);
    return other;
}

static int hold(struct fixture *f, const char *request) {
    int fd = client_connect(f);
    client_send(fd, request);
    fixture_expect(f, "held");
    return fd;
}

static void expect_refused(int port, in_addr_t host) {
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    address.sin_addr.s_addr = htonl(host);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), -1);
    assert_int_equal(errno, ECONNREFUSED);
    close(fd);
}

static void test_bodies_of_all_ports_together(void **state) {
    struct http_limits limits = limits_of_bodies(100);
    struct buf out = { .max = 0 };
    (void)state;
    struct fixture *own = fixture_start(&limits, false);
    struct fixture other = listen_too(own);
    int fd = hold(own, "POST /hold HTTP/1.1\r\nContent-Length: 5\r\n" CLOSE "aaaaa");
    client_check(&other, "POST /echo HTTP/1.1\r\nContent-Length: 96\r\n" CLOSE, "HTTP/1.1 429",
                 "later");
    fixture_command(own, "r");
    assert_true(client_read_end(fd, &out));
    close(fd);
    buf_clear(&out);
    fixture_stop(own);
}

/* A client that reads nothing, so that what it is sent waits in the server. */
static int connect_narrow(const struct fixture *f, const char *request) {
    int fd = client_connect(f);
    int size = 16 * 1024;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    client_send(fd, request);
    return fd;
}

/* Either fits alone; whichever is second is cut off. */
static void test_queues_of_all_ports_together(void **state) {
    struct http_limits limits = http_limits_default;
    struct buf one = { .max = 0 }, two = { .max = 0 };
    (void)state;
    limits.queues_total = BIG_SIZE + BIG_SIZE / 4;
    struct fixture *own = fixture_start(&limits, false);
    struct fixture other = listen_too(own);
    int first = connect_narrow(own, "GET /big HTTP/1.1\r\n" CLOSE);
    client_read_until(first, &one, "xxx");
    int second = connect_narrow(&other, "GET /big HTTP/1.1\r\n" CLOSE);
    assert_false(client_read_end(second, &two));
    assert_true(client_read_end(first, &one));
    assert_true(one.len > BIG_SIZE && two.len < BIG_SIZE);
    close(first);
    close(second);
    buf_clear(&one);
    buf_clear(&two);
    fixture_stop(own);
}

static void test_a_closed_port_lets_answers_end(void **state) {
    struct buf idle_out = { .max = 0 }, out = { .max = 0 };
    (void)state;
    struct fixture *own = fixture_start(NULL, false);
    struct fixture other = listen_too(own);
    int idle = client_connect(own);
    client_send(idle, "GET /quick HTTP/1.1\r\n" HOST "\r\n");
    client_read_until(idle, &idle_out, "quick");
    int stays = client_connect(&other);
    client_send(stays, "GET /quick HTTP/1.1\r\n" HOST "\r\n");
    client_read_until(stays, &out, "quick");
    int fd = hold(own, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    fixture_command(own, "d");
    assert_true(client_read_end(idle, &idle_out));
    expect_refused(own->port, INADDR_LOOPBACK);
    fixture_command(own, "r");
    buf_reset(&idle_out);
    assert_true(client_read_end(fd, &idle_out)); /* the answer, and no further request */
    assert_non_null(strstr(idle_out.data, "held"));
    assert_non_null(strstr(idle_out.data, "Connection: close"));
    buf_reset(&out);
    client_send(stays, "GET /quick HTTP/1.1\r\n" HOST "\r\n"); /* the other port's goes on */
    client_read_until(stays, &out, "quick");
    client_check(&other, "GET /quick HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200", "quick");
    close(idle);
    close(stays);
    close(fd);
    buf_clear(&idle_out);
    buf_clear(&out);
    fixture_stop(own);
}

static void test_a_moved_port_keeps_its_connections(void **state) {
    struct buf out = { .max = 0 };
    struct sockaddr_in address = { .sin_family = AF_INET };
    (void)state;
    struct fixture *own = fixture_start(NULL, false);
    expect_refused(own->port, INADDR_LOOPBACK + 1); /* 127.0.0.2 */
    int idle = client_connect(own);
    client_send(idle, "GET /quick HTTP/1.1\r\n" HOST "\r\n");
    client_read_until(idle, &out, "quick");
    int fd = hold(own, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    fixture_command(own, "v");
    fixture_expect(own, "moved");
    buf_reset(&out);
    client_send(idle, "GET /quick HTTP/1.1\r\n" HOST "\r\n");
    client_read_until(idle, &out, "quick");
    fixture_command(own, "r");
    buf_reset(&out);
    client_read_until(fd, &out, "held");
    buf_reset(&out);
    client_send(fd, "GET /quick HTTP/1.1\r\n" HOST "\r\n");
    client_read_until(fd, &out, "quick");
    int wide = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_port = htons((uint16_t)own->port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
    assert_int_equal(connect(wide, (struct sockaddr *)&address, sizeof address), 0);
    close(idle);
    close(fd);
    close(wide);
    buf_clear(&out);
    fixture_stop(own);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bodies_of_all_ports_together),
        cmocka_unit_test(test_queues_of_all_ports_together),
        cmocka_unit_test(test_a_closed_port_lets_answers_end),
        cmocka_unit_test(test_a_moved_port_keeps_its_connections),
    };
    return cmocka_run_group_tests_name("http ports", tests, NULL, NULL);
}
