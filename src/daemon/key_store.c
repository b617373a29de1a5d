/* SPDX-License-Identifier: MIT */
#include "daemon/key_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "daemon/saver.h"
#include "daemon/state_file.h"

enum { CHANGES_MAX = 64, TOUCH_MS = 60000 };

struct key_change {
    struct key_change *next;
    char *revoke; /* the id; NULL: create */
    char *name;   /* create; wish.name points to it */
    struct key_wish wish;
    bool rescued, open;       /* revoke */
    char text[KEY_TEXT_SIZE]; /* of the new key */
    struct key_sink sink;
};

struct key_store {
    struct key_table table;
    struct key_table next;      /* what the first of the changes makes of it */
    struct key_change *changes; /* the first is being made, if nothing else is written */
    bool writing, touching;     /* touching: what is being written is no change */
    bool used;                  /* a key's last_used_at is not on disk */
    bool damaged;
    struct saver *saver;
    uv_timer_t timer; /* runs while `used` */
    char *path;
};

/* ---- the file ---- */

static void read_file(struct key_store *s) {
    struct buf text = BUF_INIT(STATE_FILE_MAX);
    struct error err;
    bool there = file_read(s->path, &text, &err);
    if (there && key_table_read(&s->table, buf_str(&text), text.len, &err)) {
        buf_clear(&text);
        return;
    }
    s->damaged = there || err.code != ERR_NOT_FOUND;
    if (s->damaged) {
        log_error("%s is damaged (%s): requests need a key, those that can be read are in "
                  "force; repair or delete the file, then restart the server",
                  s->path, err.text);
    }
    buf_clear(&text);
}

static void write_table(struct key_store *s, const struct key_table *table) {
    struct buf text = BUF_INIT(STATE_FILE_MAX);
    key_table_format(table, &text);
    s->writing = true;
    saver_put(s->saver, &text);
}

/* ---- changes ---- */

static void change_free(struct key_change *change) {
    free(change->revoke);
    free(change->name);
    allowed_models_clear(&change->wish.models);
    memset(change->text, 0, sizeof change->text);
    free(change);
}

static void end_first(struct key_store *s, const struct error *error) {
    struct key_change *change = s->changes;
    bool made = !error && !change->revoke;
    const struct key *key = made ? &s->table.keys[s->table.count - 1] : NULL;
    change->sink.on_end(change->sink.ctx, key, made ? change->text : NULL, error);
    s->changes = change->next;
    change_free(change);
}

static bool apply(struct key_store *s, struct key_change *change, struct error *err) {
    unsigned char random[KEY_RANDOM_LEN];
    if (s->damaged) {
        return error_set(err, ERR_IO,
                         "keys.json is damaged; repair or delete it and restart the server, "
                         "then change the keys.");
    }
    if (change->revoke) {
        return key_table_remove(&s->next, change->revoke, change->rescued, change->open, err);
    }
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) {
        return error_set(err, ERR_IO, "The system gives no random numbers; try again later.");
    }
    return key_table_add(&s->next, &change->wish, random, clock_unix(), change->text, err);
}

/* Refuse changes up to the first one that has to be written. */
static void begin_next(struct key_store *s) {
    struct error err;
    while (s->changes && !s->writing) {
        key_table_copy(&s->table, &s->next);
        if (apply(s, s->changes, &err)) {
            write_table(s, &s->next);
            return;
        }
        key_table_clear(&s->next);
        end_first(s, &err);
    }
}

/* Copy when keys were used while the change was written, which only the older table has. */
static void keep_uses(const struct key_table *from, struct key_table *to) {
    for (size_t i = 0; i < from->count; i++) {
        struct key *key = key_table_by_id(to, from->keys[i].id);
        if (key) key->last_used_at = from->keys[i].last_used_at;
    }
}

static void take_next(struct key_store *s) {
    keep_uses(&s->table, &s->next);
    key_table_clear(&s->table);
    s->table = s->next;
    s->next.count = 0;
}

static void keys_on_saved(void *ctx, const struct error *error) {
    struct key_store *s = ctx;
    bool touched = s->touching;
    s->writing = s->touching = false;
    if (touched) {
        if (error) log_warn("when keys were used is not saved: %s", error->text);
    } else {
        if (error)
            key_table_clear(&s->next);
        else
            take_next(s);
        end_first(s, error);
    }
    begin_next(s);
}

static void add_change(struct key_store *s, struct key_change *change) {
    struct key_change **last = &s->changes;
    struct error err;
    int waiting = 0;
    for (; *last; last = &(*last)->next) waiting++;
    if (waiting == CHANGES_MAX) {
        error_set(&err, ERR_QUEUE_FULL,
                  "%d changes of the keys are already waiting for the disk; try again later.",
                  waiting);
        err.retry_after = 5;
        change->sink.on_end(change->sink.ctx, NULL, NULL, &err);
        change_free(change);
        return;
    }
    *last = change;
    if (waiting == 0) begin_next(s);
}

void key_store_create(struct key_store *store, const struct key_wish *wish,
                      struct key_sink sink) {
    struct key_change *change = xcalloc(1, sizeof *change);
    change->name = xstrdup(wish->name);
    change->wish = *wish;
    change->wish.name = change->name;
    change->wish.models = allowed_models_copy(&wish->models);
    change->sink = sink;
    add_change(store, change);
}

void key_store_revoke(struct key_store *store, const char *id, bool rescued, bool open,
                      struct key_sink sink) {
    struct key_change *change = xcalloc(1, sizeof *change);
    change->revoke = xstrdup(id);
    change->rescued = rescued;
    change->open = open;
    change->sink = sink;
    add_change(store, change);
}

/* ---- uses ---- */

static void touch(struct key_store *s) {
    if (!s->used || s->writing || s->damaged) return;
    s->used = false;
    s->touching = true;
    write_table(s, &s->table);
}

static void keys_on_timer(uv_timer_t *timer) {
    touch(timer->data);
}

static const struct key *in_force(struct key_store *s, struct key *key, struct error *err) {
    msec now = clock_unix();
    if (!key) {
        error_set(err, ERR_API_KEY,
                  "This server needs an API key; send it as `Authorization: Bearer <key>`.");
        return NULL;
    }
    if (key_is_expired(key, now)) {
        error_set(err, ERR_API_KEY,
                  "The API key '%.64s' has expired; create another with `doze token create`.",
                  key->name);
        return NULL;
    }
    key->last_used_at = now;
    if (!s->used) uv_timer_start(&s->timer, keys_on_timer, TOUCH_MS, 0);
    s->used = true;
    return key;
}

const struct key *key_store_use(struct key_store *store, const char *text, struct error *err) {
    const struct key *key = key_table_find(&store->table, text);
    return in_force(store, key ? key_table_by_id(&store->table, key->id) : NULL, err);
}

const struct key *key_store_by_id(struct key_store *store, const char *id, struct error *err) {
    return in_force(store, key_table_by_id(&store->table, id), err);
}

bool key_store_has(const struct key_store *store, const char *text) {
    const struct key *key = key_table_find(&store->table, text);
    return key && !key_is_expired(key, clock_unix());
}

const struct key_table *key_store_get(const struct key_store *store) {
    return &store->table;
}

bool key_store_is_needed(const struct key_store *store) {
    return store->table.count > 0 || store->damaged;
}

/* ---- life ---- */

struct key_store *key_store_new(uv_loop_t *loop, const char *state_dir) {
    struct key_store *s = xcalloc(1, sizeof *s);
    s->path = xasprintf("%s/keys.json", state_dir);
    s->saver = saver_new(loop, s->path, keys_on_saved, s);
    uv_timer_init(loop, &s->timer);
    s->timer.data = s;
    uv_unref((uv_handle_t *)&s->timer);
    read_file(s);
    return s;
}

void key_store_close(struct key_store *store) {
    if (!store) return;
    uv_close((uv_handle_t *)&store->timer, NULL);
    touch(store);
}

void key_store_free(struct key_store *store) {
    if (!store) return;
    while (store->changes) {
        struct key_change *change = store->changes;
        store->changes = change->next;
        change_free(change);
    }
    key_table_clear(&store->table);
    key_table_clear(&store->next);
    saver_free(store->saver);
    free(store->path);
    free(store);
}
