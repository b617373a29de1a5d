/* SPDX-License-Identifier: MIT */
/* Listening: what is said when it is not possible. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "http/server.h"

static void format_error(void *ctx, const char *path, const struct error *err,
                         struct buf *out) {
    (void)ctx;
    (void)path;
    (void)buf_add_str(out, err->text);
}

static struct access_rules no_rules(void *ctx) {
    (void)ctx;
    return (struct access_rules){ false, "", "" };
}

static void on_closed(void *ctx) {
    *(bool *)ctx = true;
}

static struct http_server *new_server(uv_loop_t *loop) {
    struct http_options options = { .format_error = format_error, .rules = no_rules };
    return http_server_new(loop, &options);
}

static void close_server(uv_loop_t *loop, struct http_server *server) {
    bool closed = false;
    http_server_close(server, on_closed, &closed);
    assert_int_equal(uv_run(loop, UV_RUN_DEFAULT), 0);
    assert_true(closed);
}

static void test_port_in_use(void **state) {
    uv_loop_t *loop = *state;
    struct error err;
    char expected[200];
    struct http_server *server = new_server(loop), *other = new_server(loop);
    struct http_port *port = http_server_listen(server, "127.0.0.1", 0, &err);
    assert_non_null(port);
    int number = http_port_number(port);
    assert_true(number > 0);
    assert_null(http_server_listen(other, "127.0.0.1", number, &err));
    snprintf(expected, sizeof expected,
             "Port %d is in use; stop the other server or choose another with --port.", number);
    assert_int_equal(err.code, ERR_IO);
    assert_string_equal(err.text, expected);
    close_server(loop, server);
    close_server(loop, other);
}

static void test_host_of_another_machine(void **state) {
    struct error err;
    struct http_server *server = new_server(*state);
    assert_null(http_server_listen(server, "192.0.2.1", 0, &err));
    assert_non_null(strstr(err.text, "192.0.2.1 is not an address of this machine"));
    assert_null(http_server_listen(server, "no such host", 0, &err));
    assert_non_null(strstr(err.text, "Host \"no such host\" is not known"));
    assert_non_null(strstr(err.text, "--host"));
    close_server(*state, server);
}

static void test_names_and_addresses(void **state) {
    static const char *const hosts[] = { "localhost", "0.0.0.0", "127.0.0.1" };
    struct error err;
    struct http_server *server = new_server(*state);
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        struct http_port *port = http_server_listen(server, hosts[i], 0, &err);
        assert_non_null(port);
        assert_string_equal(http_port_host(port), hosts[i]);
    }
    close_server(*state, server);
}

/* An idle server leaves the loop nothing to wake up for. */
static void test_idle_server_has_no_timer(void **state) {
    uv_loop_t *loop = *state;
    struct error err;
    struct http_server *server = new_server(loop);
    assert_non_null(http_server_listen(server, "127.0.0.1", 0, &err));
    (void)uv_run(loop, UV_RUN_NOWAIT); /* registers what is watched */
    assert_int_equal(uv_backend_timeout(loop), -1);
    close_server(loop, server);
}

/* A socket on any port of the loopback address. */
static int bound_socket(int type) {
    struct sockaddr_in address = { .sin_family = AF_INET };
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, type, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void test_a_passed_socket_is_listened_on_and_stays(void **state) {
    uv_loop_t *loop = *state;
    struct error err;
    struct http_server *server = new_server(loop);
    int fd = bound_socket(SOCK_STREAM);
    assert_int_equal(listen(fd, 8), 0);
    struct http_port *port = http_server_adopt(server, fd, &err);
    assert_non_null(port);
    int number = http_port_number(port);
    assert_string_equal(http_port_host(port), "127.0.0.1");
    http_port_close(port);
    assert_null(http_server_listen(server, "127.0.0.1", number, &err)); /* fd has it */
    port = http_server_adopt(server, fd, &err);
    assert_non_null(port);
    assert_int_equal(http_port_number(port), number);
    close_server(loop, server);
    assert_int_equal(close(fd), 0);
}

static void test_what_does_not_listen_cannot_be_passed(void **state) {
    uv_loop_t *loop = *state;
    struct error err;
    struct http_server *server = new_server(loop);
    int fds[] = { bound_socket(SOCK_STREAM), bound_socket(SOCK_DGRAM), 999,
                  socket(AF_UNIX, SOCK_STREAM, 0) };
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
        assert_null(http_server_adopt(server, fds[i], &err));
        assert_int_equal(err.code, ERR_IO);
        assert_non_null(strstr(err.text, "ListenStream="));
        if (fds[i] != 999) assert_int_equal(close(fds[i]), 0);
    }
    close_server(loop, server);
}

static void test_a_closed_port_is_free_at_once(void **state) {
    uv_loop_t *loop = *state;
    struct error err;
    struct http_server *server = new_server(loop);
    struct http_port *port = http_server_listen(server, "127.0.0.1", 0, &err);
    assert_non_null(port);
    int number = http_port_number(port);
    http_port_close(port);
    port = http_server_listen(server, "127.0.0.1", number, &err);
    assert_non_null(port);
    http_port_close(port);
    assert_int_equal(uv_run(loop, UV_RUN_DEFAULT), 0); /* the listeners were all it had */
    assert_int_equal(http_server_active(server), 0);
    close_server(loop, server);
}

static void test_a_port_that_cannot_move_stays(void **state) {
    uv_loop_t *loop = *state;
    struct error err;
    struct http_server *server = new_server(loop);
    struct http_port *port = http_server_listen(server, "127.0.0.1", 0, &err);
    assert_non_null(port);
    int number = http_port_number(port);
    assert_false(http_port_move(port, "192.0.2.1", &err));
    assert_int_equal(err.code, ERR_IO);
    assert_true(http_port_is_listening(port));
    assert_string_equal(http_port_host(port), "127.0.0.1");
    assert_true(http_port_move(port, "0.0.0.0", &err));
    assert_string_equal(http_port_host(port), "0.0.0.0");
    assert_int_equal(http_port_number(port), number);
    close_server(loop, server);
}

static int set_up(void **state) {
    static uv_loop_t loop;
    *state = &loop;
    return uv_loop_init(&loop);
}

static int tear_down(void **state) {
    return uv_loop_close(*state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_port_in_use),
        cmocka_unit_test(test_host_of_another_machine),
        cmocka_unit_test(test_names_and_addresses),
        cmocka_unit_test(test_idle_server_has_no_timer),
        cmocka_unit_test(test_a_passed_socket_is_listened_on_and_stays),
        cmocka_unit_test(test_what_does_not_listen_cannot_be_passed),
        cmocka_unit_test(test_a_closed_port_is_free_at_once),
        cmocka_unit_test(test_a_port_that_cannot_move_stays),
    };
    return cmocka_run_group_tests_name("http listening", tests, set_up, tear_down);
}
