/* SPDX-License-Identifier: MIT */
/*
 * fleet.h - membership on the event loop: performs the calls that membership.h asks for.
 */
#ifndef DOZE_FLEET_FLEET_H
#define DOZE_FLEET_FLEET_H

#include <uv.h>

#include "fleet/membership.h"

struct fleet;

struct fleet_config {
    uv_loop_t *loop;
    const char *node; /* fleet_node_is_name; copied, as the endpoints */
    const char *const *endpoints;
    size_t endpoint_count;
    uint64_t seed;
    /* News of membership.h, as bits. From the loop. */
    void (*on_news)(void *ctx, unsigned news);
    /* What the nodes have published, or whether etcd is reached, is another now. Likewise. */
    void (*on_change)(void *ctx);
    void *ctx;
};

/* NULL with ERR_IO if libcurl is missing. */
struct fleet *fleet_new(const struct fleet_config *config, struct error *err);

/* membership_set, and what follows from it. */
void fleet_set(struct fleet *fleet, const char *key, const char *value);

/* Borrowed, as is what they are asked. */
const struct membership *fleet_membership(const struct fleet *fleet);
const char *fleet_endpoint(const struct fleet *fleet);

/* Give the lease back: the others need not wait until it ends. Nothing is published from now
 * on. */
void fleet_leave(struct fleet *fleet);

/* Leave and free; on_news is no longer called. The loop waits for its handles, and up to 1 s
 * for the lease to be given back. Accepts NULL. */
void fleet_close(struct fleet *fleet);

#endif
