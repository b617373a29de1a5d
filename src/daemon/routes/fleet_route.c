/* SPDX-License-Identifier: MIT */
/* fleet_route.c - GET /api/v1/fleet: the nodes, what they have, and whether etcd is reached;
 * ?model=X: also where a request for X would go. And what other nodes borrow (lender.h). */
#include "daemon/fleet_explain.h"
#include "daemon/fleet_node.h"
#include "daemon/lender.h"
#include "daemon/routes/reply.h"
#include "daemon/routes/route.h"

void route_fleet(void *ctx, struct exchange *x) {
    const struct routes *r = ctx;
    const char *model = exchange_query(x, "model");
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    fleet_node_describe(r->fleet, doc, root);
    if (model && *model) {
        yyjson_mut_val *request = fleet_explain(r->fleet, r->supervisor, model, doc);
        yyjson_mut_obj_add_val(doc, root, "request", request ? request : yyjson_mut_null(doc));
    }
    reply_doc(x, doc);
}

void route_fleet_memory(void *ctx, struct exchange *x) {
    const struct routes *r = ctx;
    lender_begin(r->lender, x);
}

void route_fleet_memory_bytes(void *ctx, struct exchange *x) {
    const struct routes *r = ctx;
    lender_take(r->lender, x);
}
