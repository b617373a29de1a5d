/* SPDX-License-Identifier: MIT */
/* scan_route.c - POST /api/v1/models/scan: look for models at once; answered when the catalog
 * has what the folders have. */
#include <stdlib.h>

#include "api/service.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "daemon/routes/reply.h"
#include "daemon/routes/route.h"
#include "daemon/serve_options.h"
#include "daemon/watch.h"

struct scanning {
    const struct routes *r;
    struct exchange *x; /* NULL: it has left */
};

static void scanning_on_gone(void *ctx) {
    struct scanning *s = ctx;
    s->x = NULL;
}

static void scanning_reply(const struct scanning *s) {
    const struct serve_options *options = s->r->options;
    struct service_models models = s->r->service->models(s->r->service->self);
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_obj_add_uint(doc, root, "models", models.count);
    yyjson_mut_val *folders = yyjson_mut_obj_add_arr(doc, root, "folders");
    for (size_t i = 0; i < options->model_dir_count; i++) {
        yyjson_mut_arr_add_str(doc, folders, options->model_dirs[i]);
    }
    reply_doc(s->x, doc);
}

static void scanning_on_done(void *ctx) {
    struct scanning *s = ctx;
    if (s->x) scanning_reply(s);
    free(s);
}

void route_scan(void *ctx, struct exchange *x) {
    struct routes *r = ctx;
    struct scanning *s = xcalloc(1, sizeof *s);
    *s = (struct scanning){ r, x };
    exchange_on_gone(x, scanning_on_gone, s);
    watch_scan(r->watch, scanning_on_done, s);
}
