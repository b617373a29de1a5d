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

static bool no_cors(void *ctx) {
    (void)ctx;
    return false;
}

static void on_closed(void *ctx) {
    *(bool *)ctx = true;
}

static struct http_server *server_on(uv_loop_t *loop, const char *host, int port,
                                     struct error *err) {
    struct http_options options = {
        .host = host, .port = port, .format_error = format_error, .cors = no_cors
    };
    return http_server_new(loop, &options, err);
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
    struct http_server *server = server_on(loop, "127.0.0.1", 0, &err);
    assert_non_null(server);
    int port = http_server_port(server);
    assert_true(port > 0);
    assert_null(server_on(loop, "127.0.0.1", port, &err));
    snprintf(expected, sizeof expected,
             "Port %d is in use; stop the other server or choose another with --port.", port);
    assert_int_equal(err.code, ERR_IO);
    assert_string_equal(err.text, expected);
    close_server(loop, server);
}

static void test_host_of_another_machine(void **state) {
    struct error err;
    assert_null(server_on(*state, "192.0.2.1", 0, &err));
    assert_non_null(strstr(err.text, "192.0.2.1 is not an address of this machine"));
    assert_null(server_on(*state, "no such host", 0, &err));
    assert_non_null(strstr(err.text, "Host \"no such host\" is not known"));
    assert_non_null(strstr(err.text, "--host"));
}

static void test_names_and_addresses(void **state) {
    static const char *const hosts[] = { "localhost", "0.0.0.0", "127.0.0.1" };
    struct error err;
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        struct http_server *server = server_on(*state, hosts[i], 0, &err);
        assert_non_null(server);
        close_server(*state, server);
    }
}

/* An idle server leaves the loop nothing to wake up for. */
static void test_idle_server_has_no_timer(void **state) {
    uv_loop_t *loop = *state;
    struct error err;
    struct http_server *server = server_on(loop, "127.0.0.1", 0, &err);
    assert_non_null(server);
    (void)uv_run(loop, UV_RUN_NOWAIT); /* registers what is watched */
    assert_int_equal(uv_backend_timeout(loop), -1);
    close_server(loop, server);
}

static void test_drained_server_closes(void **state) {
    uv_loop_t *loop = *state;
    struct error err;
    bool closed = false;
    struct http_server *server = server_on(loop, "127.0.0.1", 0, &err);
    assert_non_null(server);
    http_server_drain(server);
    http_server_drain(server);
    assert_int_equal(uv_run(loop, UV_RUN_DEFAULT), 0); /* the listener was all it had */
    assert_int_equal(http_server_active(server), 0);
    http_server_close(server, on_closed, &closed);
    assert_true(closed);
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
        cmocka_unit_test(test_drained_server_closes),
    };
    return cmocka_run_group_tests_name("http listening", tests, set_up, tear_down);
}
