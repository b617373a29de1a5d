/* SPDX-License-Identifier: MIT */
/* key_routes.c - /api/v1/keys: list, create, revoke. A change is answered once it is on disk.
 */
#include <stdlib.h>
#include <string.h>

#include "api/write.h"
#include "base/json.h"
#include "base/no_model.h"
#include "base/xalloc.h"
#include "daemon/gate.h"
#include "daemon/routes/reply.h"
#include "daemon/routes/route.h"
#include "daemon/settings_store.h"

void route_keys_list(void *ctx, struct exchange *x) {
    const struct routes *r = ctx;
    const struct key_table *table = key_store_get(r->keys);
    yyjson_mut_doc *doc = answer_new();
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_obj_add_bool(doc, root, "required", gate_needs_key(r->gate));
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, root, "keys");
    for (size_t i = 0; i < table->count; i++)
        yyjson_mut_arr_append(list, key_show(&table->keys[i], doc));
    reply_doc(x, doc);
}

/* ---- changes ---- */

struct pending_key {
    struct exchange *x; /* NULL: the client is gone */
    char *revoked;      /* the id; NULL: a key is created */
};

static void key_on_gone(void *ctx) {
    struct pending_key *p = ctx;
    p->x = NULL;
}

static void reply_change(const struct pending_key *p, const struct key *key, const char *text) {
    yyjson_mut_doc *doc = answer_new();
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    if (key) {
        root = key_show(key, doc);
        yyjson_mut_doc_set_root(doc, root);
        yyjson_mut_obj_add_str(doc, root, "key", text);
        exchange_add_header(p->x, "Cache-Control", "no-store");
    } else {
        yyjson_mut_obj_add_str(doc, root, "id", p->revoked);
        yyjson_mut_obj_add_bool(doc, root, "revoked", true);
    }
    reply_doc(p->x, doc);
}

static void key_on_end(void *ctx, const struct key *key, const char *text,
                       const struct error *error) {
    struct pending_key *p = ctx;
    if (p->x && error)
        exchange_fail(p->x, error);
    else if (p->x)
        reply_change(p, key, text);
    free(p->revoked);
    free(p);
}

static struct pending_key *pending_key_new(struct exchange *x, const char *revoked) {
    struct pending_key *p = xcalloc(1, sizeof *p);
    p->x = x;
    p->revoked = revoked ? xstrdup(revoked) : NULL;
    exchange_on_gone(x, key_on_gone, p);
    return p;
}

static bool is_rescued(const struct routes *r) {
    return settings_store_get(r->settings)->api_key[0];
}

/* The names as keys of models, which later requests are compared with. */
static bool find_models(const struct service *service, yyjson_val *names,
                        struct allowed_models *ret, struct error *err) {
    size_t i, max;
    yyjson_val *name;
    yyjson_arr_foreach(names, i, max, name) {
        struct model_view model;
        if (!service->find_model(service->self, yyjson_get_str(name), &model))
            return error_no_model(err, "models", yyjson_get_str(name), NULL);
        ret->keys[ret->count++] = xstrdup(model.key);
    }
    return true;
}

static void create(const struct routes *r, struct exchange *x, yyjson_val *body) {
    struct error err;
    struct key_wish wish;
    yyjson_val *names;
    if (!key_wish_read(body, &wish, &names, &err)) {
        exchange_fail(x, &err);
        return;
    }
    wish.rescued = is_rescued(r);
    wish.models.keys = xcalloc(KEY_MODELS_MAX, sizeof *wish.models.keys);
    if (find_models(r->service, names, &wish.models, &err)) {
        struct key_sink sink = { key_on_end, pending_key_new(x, NULL) };
        key_store_create(r->keys, &wish, sink);
    } else {
        exchange_fail(x, &err);
    }
    allowed_models_clear(&wish.models);
}

void route_key_create(void *ctx, struct exchange *x) {
    const struct routes *r = ctx;
    struct error err;
    size_t len = 0;
    const char *body = exchange_body(x, &len);
    yyjson_doc *doc = json_parse_object(body, len, &err);
    if (doc)
        create(r, x, yyjson_doc_get_root(doc));
    else
        exchange_fail(x, &err);
    yyjson_doc_free(doc);
}

void route_key_revoke(void *ctx, struct exchange *x) {
    const struct routes *r = ctx;
    const char *id = exchange_param(x, "id"), *open = exchange_query(x, "open");
    struct key_sink sink = { key_on_end, pending_key_new(x, id) };
    key_store_revoke(r->keys, id, is_rescued(r), open && strcmp(open, "true") == 0, sink);
}
