/* SPDX-License-Identifier: MIT */
/* change.c - changes of the settings, one after the other: checked, written to disk, then in
 * force. What a client was told survives a crash. */
#include <stdlib.h>

#include "base/xalloc.h"
#include "daemon/daemon.h"
#include "daemon/saver.h"

enum { CHANGES_MAX = 64, SETTINGS_MAX = 8 << 20 };

struct settings_change {
    struct settings_change *next;
    yyjson_doc *patch;
    struct settings_sink sink;
};

/* It stays the first while its sink is told: a change that the sink begins waits its turn. */
static void end_first(struct daemon *d, const struct error *error) {
    struct settings_change *change = d->changes;
    change->sink.on_end(change->sink.ctx, error);
    d->changes = change->next;
    yyjson_doc_free(change->patch);
    free(change);
}

static void put_in_force(struct daemon *d) {
    settings_clear(&d->settings);
    d->settings = d->next_settings;
    if (d->stopping) return; /* it counts for the next start */
    supervisor_settings_changed(d->supervisor);
    daemon_open_to_lmstudio(d);
    live_tell_settings(&d->live, &d->settings);
}

/* Make of the first change the settings that are to be; false: it is of no use. */
static bool prepare(struct daemon *d, struct buf *text, struct error *err) {
    yyjson_val *patch = yyjson_doc_get_root(d->changes->patch);
    settings_copy(&d->settings, &d->next_settings);
    bool ok = settings_patch(&d->next_settings, patch, err);
    if (ok) {
        settings_format(&d->next_settings, text);
        buf_add_str(text, "\n");
        ok = !text->overflowed ||
             error_set(err, ERR_TOO_LARGE, "The settings would be larger than %d bytes.",
                       SETTINGS_MAX);
    }
    if (!ok) settings_clear(&d->next_settings);
    return ok;
}

/* Up to the first change that has to be written. */
static void go_on(struct daemon *d) {
    struct error err;
    while (d->changes) {
        struct buf text = BUF_INIT(SETTINGS_MAX);
        bool ok = prepare(d, &text, &err);
        if (ok) saver_put(d->settings_saver, &text);
        buf_clear(&text);
        if (ok) return;
        end_first(d, &err);
    }
}

void daemon_settings_saved(void *ctx, const struct error *error) {
    struct daemon *d = ctx;
    if (error)
        settings_clear(&d->next_settings);
    else
        put_in_force(d);
    end_first(d, error);
    go_on(d);
}

static yyjson_doc *copy_of(yyjson_val *val) {
    yyjson_mut_doc *changeable = yyjson_mut_doc_new(NULL);
    yyjson_mut_doc_set_root(changeable, yyjson_val_mut_copy(changeable, val));
    yyjson_doc *copy = yyjson_mut_doc_imut_copy(changeable, NULL);
    yyjson_mut_doc_free(changeable);
    return copy;
}

void daemon_change_settings(struct daemon *d, yyjson_val *patch, struct settings_sink sink) {
    struct settings_change **last = &d->changes;
    struct error err;
    int waiting = 0;
    for (; *last; last = &(*last)->next) waiting++;
    if (waiting == CHANGES_MAX) {
        error_set(&err, ERR_QUEUE_FULL,
                  "%d changes of the settings wait for the disk already; "
                  "try again later.",
                  waiting);
        err.retry_after = 5;
        sink.on_end(sink.ctx, &err);
        return;
    }
    struct settings_change *change = xcalloc(1, sizeof *change);
    *change = (struct settings_change){ .patch = copy_of(patch), .sink = sink };
    *last = change;
    if (waiting == 0) go_on(d);
}
