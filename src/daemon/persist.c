/* SPDX-License-Identifier: MIT */
/* persist.c - what outlives a run: settings.json and kept.json in the state folder. */
#include <string.h>

#include "api/lmstudio_rest/v1.h"
#include "base/json.h"
#include "base/log.h"
#include "daemon/daemon.h"
#include "daemon/file.h"
#include "daemon/saver.h"

enum { STATE_FILE_MAX = 8 << 20 };

static void set_aside(const char *path, const char *why) {
    struct error err;
    if (file_set_aside(path, &err)) {
        log_warn("%s is damaged (%s); it was moved to %s.corrupt and defaults are used", path,
                 why, path);
    } else {
        log_warn("%s is damaged (%s) and defaults are used; %s", path, why, err.text);
    }
}

/* Read and parse a state file. NULL if there is none or it is of no use; a damaged one is set
 * aside with a warning, so that the next write does not destroy what may be mended by hand. */
static yyjson_doc *read_state(const char *path) {
    struct buf text = BUF_INIT(STATE_FILE_MAX);
    struct error err;
    yyjson_doc *doc = NULL;
    if (file_read(path, &text, &err)) {
        doc = json_parse(buf_str(&text), text.len, &err);
        if (!doc) set_aside(path, err.text);
    } else if (err.code != ERR_NOT_FOUND) {
        log_warn("%s", err.text);
    }
    buf_clear(&text);
    return doc;
}

void daemon_load_settings(struct daemon *d) {
    struct error err;
    settings_init(&d->settings);
    yyjson_doc *doc = read_state(d->settings_path);
    if (doc && !settings_patch(&d->settings, yyjson_doc_get_root(doc), &err)) {
        set_aside(d->settings_path, err.text);
    }
    yyjson_doc_free(doc);
}

void daemon_save_pinned(struct daemon *d) {
    struct buf text = BUF_INIT(STATE_FILE_MAX);
    supervisor_format_pinned(d->supervisor, &text);
    saver_put(d->pinned_saver, &text);
}

static void on_pinned_saved(void *ctx, const struct error *error) {
    (void)ctx;
    if (error) log_warn("instances to keep are not remembered: %s", error->text);
}

void daemon_open_savers(struct daemon *d) {
    d->settings_saver = saver_new(&d->loop, d->settings_path, daemon_settings_saved, d);
    d->pinned_saver = saver_new(&d->loop, d->pinned_path, on_pinned_saved, d);
}

static void on_pinned_loaded(void *ctx, call_id call, const struct load_result *result,
                             const struct error *error) {
    (void)ctx;
    (void)call;
    if (result)
        log_info("%s: loaded again, as it is to be kept", result->instance->identifier);
    else
        log_warn("an instance to be kept could not be loaded: %s", error->text);
}

static void load_one(struct daemon *d, yyjson_val *entry) {
    struct buf body = BUF_INIT(STATE_FILE_MAX);
    struct load_request request;
    struct error err;
    yyjson_doc *doc = NULL;
    bool echo;
    json_write_val(entry, &body);
    if (lmstudio_v1_parse_load(buf_str(&body), body.len, &request, &echo, &doc, &err)) {
        struct load_sink sink = { .on_end = on_pinned_loaded, .ctx = d };
        request.keep = true;
        /* Else a name that matches only by tolerance would pin another identifier. */
        if (!request.identifier) request.identifier = request.model;
        supervisor_pin(d->supervisor, &request);
        d->service.load(d->service.self, &request, sink);
        yyjson_doc_free(doc);
    } else {
        log_warn("an entry of %s is of no use: %s", d->pinned_path, err.text);
    }
    buf_clear(&body);
}

void daemon_load_pinned(struct daemon *d) {
    yyjson_doc *doc = read_state(d->pinned_path);
    size_t i, max;
    yyjson_val *entry;
    yyjson_arr_foreach(yyjson_doc_get_root(doc), i, max, entry) {
        load_one(d, entry);
    }
    yyjson_doc_free(doc);
}
