/* SPDX-License-Identifier: MIT */
/* probes.c - small answers for monitoring and discovery: health, metrics, greetings. */
#include <unistd.h>

#include "base/json.h"
#include "daemon/fleet_node.h"
#include "daemon/gate.h"
#include "daemon/listeners.h"
#include "daemon/routes/reply.h"
#include "daemon/routes/routes.h"
#include "daemon/tls_files.h"
#include "supervisor/metrics.h"

void routes_warn_if_exposed(const struct routes *r, char ret_text[EXPOSURE_SIZE]) {
    struct exposure exposure = { .host = listeners_exposed_host(r->listeners),
                                 .has_key = gate_needs_key(r->gate),
                                 .has_tls = r->tls->on };
    exposure_warn(&exposure, ret_text);
}

void route_health(void *ctx, struct exchange *x) {
    const struct routes *r = ctx;
    char warning[EXPOSURE_SIZE];
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_obj_add_str(doc, root, "status", r->stopping ? "stopping" : "ok");
    yyjson_mut_obj_add_str(doc, root, "version", DOZE_VERSION);
    yyjson_mut_obj_add_int(doc, root, "pid", getpid());
    routes_warn_if_exposed(r, warning);
    if (*warning) yyjson_mut_obj_add_str(doc, root, "warning", warning);
    reply_doc(x, doc);
}

void route_greeting(void *ctx, struct exchange *x) {
    (void)ctx;
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_obj_add_bool(doc, root, "lmstudio", true);
    reply_doc(x, doc);
}

/* LM Studio's command line accepts the packages "lmstudio" and "daemon" only (lms,
 * findOrStartLocalAPIServer, autumn 2026); the latter is its server without a window. */
void route_lms_status(void *ctx, struct exchange *x) {
    (void)ctx;
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_obj_add_str(doc, root, "package", "daemon");
    yyjson_mut_obj_add_str(doc, root, "version", DOZE_VERSION);
    yyjson_mut_obj_add_str(doc, root, "server", "doze");
    reply_doc(x, doc);
}

void route_metrics(void *ctx, struct exchange *x) {
    struct routes *r = ctx;
    struct service_models models = r->service->models(r->service->self);
    struct buf text = BUF_INIT(4 << 20);
    metrics_format(r->metrics, &models, &text);
    fleet_node_format_metrics(r->fleet, &text);
    exchange_reply(x, 200, "text/plain; version=0.0.4", text.data, text.len);
    buf_clear(&text);
}
