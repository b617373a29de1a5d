/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include "gateway.h"

#include <signal.h>
#include <stdio.h>

static void format_error(void *ctx, const char *path, const struct error *err,
                         struct buf *out) {
    (void)ctx, (void)path, (void)err;
    buf_add_str(out, "{}");
}

static struct access_rules rules(void *ctx) {
    (void)ctx;
    return (struct access_rules){ 0 };
}

void gateway_open(struct gateway *g, const struct http_route *routes, size_t count, void *ctx) {
    struct error err;
    struct http_options options = { .routes = routes,
                                    .route_count = count,
                                    .ctx = ctx,
                                    .format_error = format_error,
                                    .rules = rules };
    signal(SIGPIPE, SIG_IGN);
    uv_loop_init(&g->loop);
    g->server = http_server_new(&g->loop, &options);
    struct http_port *port = http_server_listen(g->server, "127.0.0.1", 0, &err);
    assert_non_null(port);
    (void)snprintf(g->url, sizeof g->url, "http://127.0.0.1:%d", http_port_number(port));
}

static void on_closed(void *ctx) {
    (void)ctx;
}

void gateway_close(struct gateway *g) {
    http_server_close(g->server, on_closed, NULL);
    uv_run(&g->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&g->loop), 0);
}

void gateway_wait(struct gateway *g, const int *number, int value) {
    while (*number < value) uv_run(&g->loop, UV_RUN_ONCE);
}
