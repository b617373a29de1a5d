/* SPDX-License-Identifier: MIT */
/* gateway.h - a server on a real socket that answers what a test says: an etcd, or a node. */
#ifndef DOZE_TESTS_GATEWAY_H
#define DOZE_TESTS_GATEWAY_H

#include <uv.h>

#include "http/server.h"

struct gateway {
    uv_loop_t loop; /* for the test's client, too */
    struct http_server *server;
    char url[64];
};

/* Borrows the routes; ctx is for their handlers. */
void gateway_open(struct gateway *g, const struct http_route *routes, size_t count, void *ctx);
/* When the client is closed: nothing may be left open. */
void gateway_close(struct gateway *g);

/* Until the number has come so far. */
void gateway_wait(struct gateway *g, const int *number, int value);

#endif
