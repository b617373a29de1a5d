/* SPDX-License-Identifier: MIT */
/* fleet_route.c - GET /api/v1/fleet: the nodes, what they have, and whether etcd is reached. */
#include "daemon/fleet_node.h"
#include "daemon/routes/reply.h"
#include "daemon/routes/route.h"

void route_fleet(void *ctx, struct exchange *x) {
    const struct routes *r = ctx;
    struct buf json = BUF_INIT(REPLY_JSON_MAX);
    fleet_node_format(r->fleet, &json);
    reply_json(x, &json);
}
