/* SPDX-License-Identifier: MIT */
/*
 * fleet_node.h - this daemon as a node of the fleet: says what it has, and knows the others.
 *
 * Does nothing unless the setting fleet names an etcd. Loop's thread only.
 */
#ifndef DOZE_DAEMON_FLEET_NODE_H
#define DOZE_DAEMON_FLEET_NODE_H

#include <uv.h>

#include "base/buf.h"

struct catalog;
struct listeners;
struct settings_store;
struct supervisor;
struct tls_files;
struct worker_program;

struct fleet_node;

/* Borrowed for its life. */
struct fleet_node_config {
    uv_loop_t *loop;
    const struct settings_store *settings;
    struct supervisor *supervisor;
    struct catalog *const *catalog;
    const struct worker_program *program;
    const struct listeners *listeners;
    const struct tls_files *tls;
    uint64_t boot; /* identifies this run */
};

struct fleet_node *fleet_node_new(const struct fleet_node_config *config);

/* The settings, the catalog, or instances and requests may be others now. Accept NULL. */
void fleet_node_settings_changed(struct fleet_node *node);
void fleet_node_catalog_changed(struct fleet_node *node);
void fleet_node_touch(struct fleet_node *node);

/* Append the answer of GET /api/v1/fleet. */
void fleet_node_format(struct fleet_node *node, struct buf *out);

/* The daemon stops: leave the fleet at once, before the last answers are sent. Accepts NULL. */
void fleet_node_leave(struct fleet_node *node);
/* Before the supervisor is freed. The loop waits for the handles. Accepts NULL. */
void fleet_node_close(struct fleet_node *node);

#endif
