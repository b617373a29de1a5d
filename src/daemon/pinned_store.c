/* SPDX-License-Identifier: MIT */
#include "daemon/pinned_store.h"

#include <stdlib.h>

#include "api/lmstudio_rest/v1.h"
#include "base/json.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "daemon/saver.h"
#include "daemon/state_file.h"

struct pinned_store {
    char *path;
    struct saver *saver;
    void (*on_saved)(void *ctx, const struct error *error);
    void *ctx;
    bool fails; /* and the log says so */
};

static void pinned_on_saved(void *ctx, const struct error *error) {
    struct pinned_store *store = ctx;
    if (saver_is_busy(store->saver)) return; /* with newer ones, which count */
    if (error && !store->fails)
        log_warn("pinned instances are not saved and will not be loaded again at the next "
                 "start: %s",
                 error->text);
    if (!error && store->fails) log_info("pinned instances are saved again");
    store->fails = error != NULL;
    store->on_saved(store->ctx, error);
}

struct pinned_store *pinned_store_new(uv_loop_t *loop, const char *path,
                                      void (*on_saved)(void *ctx, const struct error *error),
                                      void *ctx) {
    struct pinned_store *store = xcalloc(1, sizeof *store);
    store->on_saved = on_saved;
    store->ctx = ctx;
    store->path = xstrdup(path);
    store->saver = saver_new(loop, path, pinned_on_saved, store);
    return store;
}

void pinned_store_free(struct pinned_store *store) {
    if (!store) return;
    saver_free(store->saver);
    free(store->path);
    free(store);
}

void pinned_store_save(struct pinned_store *store, const struct supervisor *sup) {
    struct buf text = BUF_INIT(STATE_FILE_MAX);
    supervisor_format_pinned(sup, &text);
    saver_put(store->saver, &text);
}

static void pinned_on_loaded(void *ctx, call_id call, const struct load_result *result,
                             const struct error *error) {
    (void)ctx;
    (void)call;
    if (result)
        log_info("%s: loaded again, as it is pinned", result->instance->identifier);
    else
        log_warn("a pinned instance could not be loaded: %s", error->text);
}

static void load_entry(struct pinned_store *store, struct supervisor *sup, yyjson_val *entry) {
    struct buf body = BUF_INIT(STATE_FILE_MAX);
    struct load_request request;
    struct error err;
    yyjson_doc *doc = NULL;
    bool echo;
    json_write_val(entry, &body);
    if (lmstudio_v1_parse_load(buf_str(&body), body.len, &request, &echo, &doc, &err)) {
        request.keep = true;
        /* Otherwise a name that does not match exactly would pin another identifier. */
        if (!request.identifier) request.identifier = request.model;
        supervisor_pin(sup, &request);
        supervisor_load(sup, &request, (struct load_sink){ .on_end = pinned_on_loaded });
        yyjson_doc_free(doc);
    } else {
        log_warn("an entry of %s cannot be used: %s", store->path, err.text);
    }
    buf_clear(&body);
}

void pinned_store_load(struct pinned_store *store, struct supervisor *sup) {
    yyjson_doc *doc = state_file_read(store->path);
    size_t i, max;
    yyjson_val *entry;
    yyjson_arr_foreach(yyjson_doc_get_root(doc), i, max, entry) {
        load_entry(store, sup, entry);
    }
    yyjson_doc_free(doc);
}
