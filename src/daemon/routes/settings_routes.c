/* SPDX-License-Identifier: MIT */
/* settings_routes.c - GET, PATCH /api/v1/settings. A change is answered when it is on disk. */
#include <stdlib.h>

#include "base/json.h"
#include "base/xalloc.h"
#include "daemon/routes/bearer.h"
#include "daemon/routes/reply.h"
#include "daemon/routes/route.h"
#include "daemon/settings_store.h"

static void reply_settings(const struct settings_store *store, struct exchange *x) {
    struct buf json = BUF_INIT(REPLY_JSON_MAX);
    settings_show(settings_store_get(store), &json);
    reply_json(x, &json);
}

void route_settings_get(void *ctx, struct exchange *x) {
    struct routes *r = ctx;
    reply_settings(r->settings, x);
}

struct pending_change {
    struct settings_store *store;
    struct exchange *x; /* NULL: the client is gone */
};

static void change_on_gone(void *ctx) {
    struct pending_change *p = ctx;
    p->x = NULL;
}

static void change_on_end(void *ctx, const struct error *error) {
    struct pending_change *p = ctx;
    if (p->x && error)
        exchange_fail(p->x, error);
    else if (p->x)
        reply_settings(p->store, p->x);
    free(p);
}

/* A client that sets api_key then knows a key that may do everything. Any client may send back
 * what GET shows, which leaves the key as it is. */
static bool may_change(const struct routes *r, const struct exchange *x, yyjson_val *patch,
                       struct error *err) {
    struct bearer bearer;
    bool key = settings_patch_changes_key(settings_store_get(r->settings), patch);
    return bearer_of_exchange(r, x, &bearer, err) &&
           permission_require(bearer.permissions, key ? PERMISSION_ADMIN : PERMISSION_SETTINGS,
                              err);
}

void route_settings_patch(void *ctx, struct exchange *x) {
    struct routes *r = ctx;
    struct error err;
    size_t len = 0;
    const char *body = exchange_body(x, &len);
    yyjson_doc *doc = json_parse_object(body, len, &err);
    if (!doc || !may_change(r, x, yyjson_doc_get_root(doc), &err)) {
        yyjson_doc_free(doc);
        exchange_fail(x, &err);
        return;
    }
    struct pending_change *p = xcalloc(1, sizeof *p);
    *p = (struct pending_change){ r->settings, x };
    exchange_on_gone(x, change_on_gone, p);
    settings_store_patch(r->settings, yyjson_doc_get_root(doc),
                         (struct done_sink){ .on_end = change_on_end, .ctx = p });
    yyjson_doc_free(doc);
}
