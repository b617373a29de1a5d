/* SPDX-License-Identifier: MIT */
/* download_routes.c - getting models: LM Studio's POST /api/v1/models/download and its status,
 * and doze's list of downloads and search. */
#include <stdlib.h>
#include <string.h>

#include "api/write.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "daemon/download_format.h"
#include "daemon/routes/reply.h"
#include "daemon/routes/route.h"

/* A request that waits for the hub. */
struct asking {
    struct exchange *x; /* NULL: it has left */
};

static void asking_on_gone(void *ctx) {
    struct asking *a = ctx;
    a->x = NULL;
}

static struct asking *asking_new(struct exchange *x) {
    struct asking *a = xcalloc(1, sizeof *a);
    a->x = x;
    exchange_on_gone(x, asking_on_gone, a);
    return a;
}

static void reply_view(struct exchange *x, const struct download_view *view) {
    yyjson_mut_doc *doc = answer_new();
    download_fill(doc, yyjson_mut_doc_get_root(doc), view);
    reply_doc(x, doc);
}

/* ---- beginning one ---- */

static void asking_on_begun(void *ctx, const struct download_view *view,
                            const struct error *err) {
    struct asking *a = ctx;
    if (a->x && view) reply_view(a->x, view);
    if (a->x && !view) exchange_fail(a->x, err);
    free(a);
}

/* A field of the body beside the name; it wins over what the name says. */
static bool read_part(yyjson_val *body, const char *field, char *ret, size_t size,
                      struct error *err) {
    const char *text = NULL;
    if (!json_read_str(body, field, &text, err)) return false;
    if (!text) return true;
    if (!hub_path_is_safe(text) || strlen(text) >= size)
        return error_set_param(err, ERR_INVALID_REQUEST, field,
                               "'%s' cannot be '%.60s'; see the hub's page of the model.",
                               field, text);
    memcpy(ret, text, strlen(text) + 1);
    return true;
}

static bool read_name(yyjson_val *body, struct hub_name *ret, struct error *err) {
    const char *text = NULL;
    if (!json_read_str(body, "model", &text, err)) return false;
    if (!text || !hub_name_parse(text, ret))
        return error_set_param(err, ERR_INVALID_REQUEST, "model",
                               "'model' must name a repository of the hub, such as "
                               "\"owner/repo\" or \"owner/repo@q4_k_m\"; "
                               "GET /api/v1/models/search?q=words finds some.");
    return read_part(body, "quantization", ret->quantization, sizeof ret->quantization, err) &&
           read_part(body, "revision", ret->revision, sizeof ret->revision, err);
}

void route_download(void *ctx, struct exchange *x) {
    struct routes *r = ctx;
    struct error err;
    struct hub_name name;
    bool plan_only = false;
    size_t len = 0;
    const char *text = exchange_body(x, &len);
    yyjson_doc *doc = json_parse_object(text, len, &err);
    yyjson_val *body = yyjson_doc_get_root(doc);
    bool ok = doc && read_name(body, &name, &err) &&
              json_read_bool(body, "dry_run", &plan_only, &err);
    yyjson_doc_free(doc);
    if (!ok) {
        exchange_fail(x, &err);
        return;
    }
    struct download_sink sink = { asking_on_begun, asking_new(x) };
    downloads_begin(r->downloads, &name, plan_only, sink);
}

/* ---- those that are there ---- */

static bool fail_unknown(struct error *err) {
    return error_set(err, ERR_NOT_FOUND,
                     "There is no such download; GET /api/v1/downloads lists them.");
}

void route_download_status(void *ctx, struct exchange *x) {
    struct routes *r = ctx;
    struct error err;
    struct download_view view;
    if (downloads_view(r->downloads, exchange_param(x, "id"), &view)) {
        reply_view(x, &view);
    } else {
        (void)fail_unknown(&err);
        exchange_fail(x, &err);
    }
}

struct listing {
    yyjson_mut_doc *doc;
    yyjson_mut_val *list;
};

static void listing_add(void *ctx, const struct download_view *view) {
    struct listing *listing = ctx;
    download_fill(listing->doc, yyjson_mut_arr_add_obj(listing->doc, listing->list), view);
}

void route_downloads(void *ctx, struct exchange *x) {
    struct routes *r = ctx;
    struct listing listing = { .doc = answer_new() };
    listing.list = yyjson_mut_obj_add_arr(listing.doc, yyjson_mut_doc_get_root(listing.doc),
                                          "downloads");
    downloads_each(r->downloads, listing_add, &listing);
    reply_doc(x, listing.doc);
}

/* {"status": "paused"} or {"status": "downloading"}. */
static bool change(struct routes *r, const char *id, const char *text, size_t len,
                   struct error *err) {
    const char *status = NULL;
    struct download_view view;
    yyjson_doc *doc = json_parse_object(text, len, err);
    if (!doc) return false;
    bool ok = json_read_str(yyjson_doc_get_root(doc), "status", &status, err);
    bool pause = status && strcmp(status, "paused") == 0;
    bool resume = status && strcmp(status, "downloading") == 0;
    yyjson_doc_free(doc);
    if (!ok) return false;
    if (!pause && !resume)
        return error_set_param(err, ERR_INVALID_REQUEST, "status",
                               "'status' must be \"paused\" or \"downloading\".");
    if (pause ? downloads_pause(r->downloads, id) : downloads_resume(r->downloads, id))
        return true;
    if (!downloads_view(r->downloads, id, &view)) return fail_unknown(err);
    return error_set(err, ERR_INVALID_REQUEST, "The download is %s.",
                     download_status_name(view.status));
}

void route_download_change(void *ctx, struct exchange *x) {
    struct routes *r = ctx;
    struct error err;
    struct download_view view;
    size_t len = 0;
    const char *text = exchange_body(x, &len), *id = exchange_param(x, "id");
    if (change(r, id, text, len, &err) && downloads_view(r->downloads, id, &view))
        reply_view(x, &view);
    else
        exchange_fail(x, &err);
}

void route_download_remove(void *ctx, struct exchange *x) {
    struct routes *r = ctx;
    struct error err;
    const char *id = exchange_param(x, "id");
    if (!downloads_remove(r->downloads, id)) {
        (void)fail_unknown(&err);
        exchange_fail(x, &err);
        return;
    }
    yyjson_mut_doc *doc = answer_new();
    yyjson_mut_obj_add_strcpy(doc, yyjson_mut_doc_get_root(doc), "job_id", id);
    reply_doc(x, doc);
}

/* ---- search ---- */

static void asking_on_found(void *ctx, const struct search_result *results, size_t count,
                            const struct error *err) {
    struct asking *a = ctx;
    if (a->x && err) exchange_fail(a->x, err);
    if (a->x && !err) {
        yyjson_mut_doc *doc = answer_new();
        yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, yyjson_mut_doc_get_root(doc),
                                                      "results");
        for (size_t i = 0; i < count; i++)
            search_result_fill(doc, yyjson_mut_arr_add_obj(doc, list), &results[i]);
        reply_doc(a->x, doc);
    }
    free(a);
}

void route_search(void *ctx, struct exchange *x) {
    struct routes *r = ctx;
    const char *words = exchange_query(x, "q");
    struct search_sink sink = { asking_on_found, asking_new(x) };
    downloads_search(r->downloads, words ? words : "", SEARCH_MAX, sink);
}
