/* SPDX-License-Identifier: MIT */
/* load_route.c - POST /api/v1/models/load: answered when loaded, with progress for clients that
 * accept an event stream. The load is cancelled when its client leaves (lifecycle: JIT loading,
 * rule 4). */
#include <stdlib.h>
#include <string.h>

#include "api/lmstudio_rest/v1.h"
#include "api/openai/openai.h"
#include "base/json.h"
#include "base/no_model.h"
#include "base/xalloc.h"
#include "daemon/routes/load_body.h"
#include "daemon/routes/reply.h"
#include "daemon/routes/route.h"

struct pending_load {
    const struct service *service;
    struct exchange *x;
    call_id call;
    bool stream, begun, echo;
};

static void load_on_gone(void *ctx) {
    struct pending_load *p = ctx;
    p->service->cancel(p->service->self, p->call);
    free(p);
}

static void send_event(struct pending_load *p, const char *name, struct buf *json) {
    if (!p->begun) exchange_begin(p->x, 200, "text/event-stream");
    p->begun = true;
    reply_event(p->x, NULL, name, buf_str(json));
    buf_clear(json);
}

static void load_on_progress(void *ctx, call_id call, double progress) {
    struct pending_load *p = ctx;
    (void)call;
    if (!p->stream) return;
    struct buf json = BUF_INIT(64);
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_obj_add_real(doc, root, "progress", progress);
    json_write_end(doc, &json);
    send_event(p, "progress", &json);
}

static void reply_result(struct pending_load *p, const struct load_result *result) {
    struct buf json = BUF_INIT(1 << 20);
    lmstudio_v1_format_load(result, p->echo, &json);
    if (p->stream) {
        send_event(p, "result", &json);
        exchange_end(p->x);
    } else {
        reply_json(p->x, &json);
    }
}

static void reply_error(struct pending_load *p, const struct error *err) {
    if (!p->begun) {
        exchange_fail(p->x, err);
        return;
    }
    struct buf json = BUF_INIT(1 << 16);
    struct error own;
    error_list_by(err, "GET /api/v1/models", &own);
    dialect_openai.format_error(&own, &json);
    send_event(p, "error", &json);
    exchange_end(p->x);
}

static void load_on_end(void *ctx, call_id call, const struct load_result *result,
                        const struct error *error) {
    struct pending_load *p = ctx;
    (void)call;
    if (result)
        reply_result(p, result);
    else
        reply_error(p, error);
    free(p);
}

static bool wants_stream(const struct exchange *x) {
    const char *accept = exchange_header(x, "Accept");
    return accept && strstr(accept, "text/event-stream");
}

void route_load(void *ctx, struct exchange *x) {
    struct routes *r = ctx;
    struct load_body body;
    if (!load_body_read(x, &body)) return;
    struct pending_load *p = xcalloc(1, sizeof *p);
    *p = (struct pending_load){
        .service = r->service, .x = x, .stream = wants_stream(x), .echo = body.echo
    };
    exchange_on_gone(x, load_on_gone, p);
    struct load_sink sink = { .on_progress = load_on_progress,
                              .on_end = load_on_end,
                              .ctx = p };
    p->call = r->service->load(r->service->self, &body.request, sink);
    yyjson_doc_free(body.doc);
}
