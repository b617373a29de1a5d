/* SPDX-License-Identifier: MIT */
#include "daemon/settings_store.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "daemon/saver.h"
#include "daemon/settings_file.h"
#include "daemon/state_file.h"

enum { CHANGES_MAX = 64 };

struct settings_change {
    struct settings_change *next;
    yyjson_doc *patch; /* NULL: what the file says */
    struct done_sink sink;
};

struct settings_store {
    struct settings settings;
    struct settings next; /* while the first of the changes is being written */
    bool sets_key;        /* that change says something about the key */
    bool sets_copied;     /* ... or about another setting that api_key.json has */
    struct settings_change *changes;
    struct buf text; /* of the first change, while the copy of what it sets is being written */
    bool key_is_unknown; /* settings_file_read */
    char *path;
    struct saver *saver, *copy_saver;
    bool (*check)(const struct settings *now, const struct settings *next, struct error *err);
    void (*on_changed)(void *ctx);
    void *ctx;
};

/* The change stays first in the queue while its sink is called, so that changes made by the
 * sink are queued. */
static void end_first(struct settings_store *s, const struct error *error) {
    struct settings_change *change = s->changes;
    change->sink.on_end(change->sink.ctx, error);
    s->changes = change->next;
    yyjson_doc_free(change->patch);
    free(change);
}

/* What the change says of the key. "null" in a file that was written without knowing whether
 * there is a key removes none. */
static bool sets_key(const struct settings_store *s, yyjson_val *change) {
    yyjson_val *key = yyjson_obj_get(change, "api_key");
    bool says_nothing = yyjson_is_null(key) && s->key_is_unknown && !s->changes->patch;
    return key && !says_nothing;
}

static bool sets_certificate(yyjson_val *change) {
    return yyjson_obj_get(change, "tls_cert") || yyjson_obj_get(change, "tls_key");
}

static void look_at_change(struct settings_store *s, yyjson_val *change) {
    s->sets_key = sets_key(s, change);
    s->sets_copied = s->sets_key || sets_certificate(change);
}

/* s->next becomes what the whole file says. */
static bool take_file(struct settings_store *s, yyjson_val *root, struct error *err) {
    settings_init(&s->next);
    if (settings_restore(&s->next, root, err) > 0) return false;
    if (!sets_key(s, root))
        memcpy(s->next.api_key, s->settings.api_key, sizeof s->next.api_key);
    if (!sets_certificate(root)) {
        memcpy(s->next.tls_cert, s->settings.tls_cert, sizeof s->next.tls_cert);
        memcpy(s->next.tls_key, s->settings.tls_key, sizeof s->next.tls_key);
    }
    return true;
}

/* The object in the file; NULL with ERR_NOT_FOUND if there is no file. */
static yyjson_doc *read_file(const struct settings_store *s, struct error *err) {
    struct buf text = BUF_INIT(STATE_FILE_MAX);
    yyjson_doc *doc = NULL;
    if (file_read(s->path, &text, err)) {
        doc = json_parse_object(buf_str(&text), text.len, err);
    }
    buf_clear(&text);
    return doc;
}

static bool apply_file(struct settings_store *s, struct error *err) {
    yyjson_doc *doc = read_file(s, err);
    if (!doc) {
        settings_copy(&s->settings, &s->next);
        s->sets_key = s->sets_copied = false;
        return err->code == ERR_NOT_FOUND;
    }
    bool ok = take_file(s, yyjson_doc_get_root(doc), err);
    look_at_change(s, yyjson_doc_get_root(doc));
    yyjson_doc_free(doc);
    return ok;
}

static bool apply_patch(struct settings_store *s, struct error *err) {
    yyjson_val *patch = yyjson_doc_get_root(s->changes->patch);
    settings_copy(&s->settings, &s->next);
    look_at_change(s, patch);
    return settings_patch(&s->next, patch, err);
}

/* Apply the first change to s->next and format it for the file; false: it is refused. */
static bool prepare(struct settings_store *s, struct buf *text, struct error *err) {
    bool ok = s->changes->patch ? apply_patch(s, err) : apply_file(s, err);
    ok = ok && (!s->check || s->check(&s->settings, &s->next, err));
    if (ok) {
        settings_format(&s->next, text);
        buf_add_str(text, "\n");
        ok = !text->overflowed ||
             error_set(err, ERR_TOO_LARGE, "The settings would be larger than %d bytes.",
                       STATE_FILE_MAX);
    }
    if (!ok) settings_clear(&s->next);
    return ok;
}

/* The copy first: of two keys on disk, after a crash, the one in the settings counts; see
 * settings_file.h. Takes the text. */
static void save(struct settings_store *s, struct buf *text) {
    struct buf copy = BUF_INIT(STATE_FILE_MAX);
    if (!s->sets_copied) {
        saver_put(s->saver, text);
        return;
    }
    s->text = *text;
    settings_file_format_copy(&s->next, s->sets_key || !s->key_is_unknown, &copy);
    saver_put(s->copy_saver, &copy);
}

/* Refuse invalid changes up to the first one that has to be written. */
static void begin_next(struct settings_store *s) {
    struct error err;
    while (s->changes) {
        struct buf text = BUF_INIT(STATE_FILE_MAX);
        bool ok = prepare(s, &text, &err);
        if (ok) {
            save(s, &text);
            return;
        }
        buf_clear(&text);
        end_first(s, &err);
    }
}

static void settings_on_saved(void *ctx, const struct error *error) {
    struct settings_store *s = ctx;
    settings_clear(error ? &s->next : &s->settings);
    if (!error) {
        s->settings = s->next;
        if (s->sets_key) s->key_is_unknown = false;
        s->on_changed(s->ctx);
    }
    end_first(s, error);
    begin_next(s);
}

static void settings_on_copy_saved(void *ctx, const struct error *error) {
    struct settings_store *s = ctx;
    struct buf text = s->text;
    s->text = (struct buf){ 0 };
    if (!error) {
        saver_put(s->saver, &text);
        return;
    }
    buf_clear(&text);
    settings_on_saved(s, error);
}

/* Takes the patch. */
static void add_change(struct settings_store *store, yyjson_doc *patch, struct done_sink sink) {
    struct settings_change **last = &store->changes;
    struct error err;
    int waiting = 0;
    for (; *last; last = &(*last)->next) waiting++;
    if (waiting == CHANGES_MAX) {
        error_set(
            &err, ERR_QUEUE_FULL,
            "%d changes of the settings are already waiting for the disk; try again later.",
            waiting);
        err.retry_after = 5;
        sink.on_end(sink.ctx, &err);
        yyjson_doc_free(patch);
        return;
    }
    struct settings_change *change = xcalloc(1, sizeof *change);
    *change = (struct settings_change){ .patch = patch, .sink = sink };
    *last = change;
    if (waiting == 0) begin_next(store);
}

void settings_store_patch(struct settings_store *store, yyjson_val *patch,
                          struct done_sink sink) {
    yyjson_mut_doc *copy = yyjson_mut_doc_new(NULL);
    yyjson_doc *own = yyjson_mut_val_imut_copy(yyjson_val_mut_copy(copy, patch), NULL);
    yyjson_mut_doc_free(copy);
    add_change(store, own, sink);
}

void settings_store_reload(struct settings_store *store, struct done_sink sink) {
    add_change(store, NULL, sink);
}

const struct settings *settings_store_get(const struct settings_store *store) {
    return &store->settings;
}

bool settings_store_key_is_unknown(const struct settings_store *store) {
    return store->key_is_unknown;
}

struct settings_store *settings_store_new(uv_loop_t *loop, const char *state_dir,
                                          void (*on_changed)(void *ctx), void *ctx) {
    struct settings_store *s = xcalloc(1, sizeof *s);
    char *path = xasprintf("%s/settings.json", state_dir);
    char *copy_path = xasprintf("%s/api_key.json", state_dir);
    s->key_is_unknown = !settings_file_read(path, copy_path, &s->settings);
    s->saver = saver_new(loop, path, settings_on_saved, s);
    s->copy_saver = saver_new(loop, copy_path, settings_on_copy_saved, s);
    s->on_changed = on_changed;
    s->ctx = ctx;
    s->path = path;
    free(copy_path);
    return s;
}

void settings_store_set_check(struct settings_store *store,
                              bool (*check)(const struct settings *now,
                                            const struct settings *next, struct error *err)) {
    store->check = check;
}

void settings_store_free(struct settings_store *store) {
    if (!store) return;
    settings_clear(&store->settings);
    saver_free(store->saver);
    saver_free(store->copy_saver);
    free(store->path);
    free(store);
}
