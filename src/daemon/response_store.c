/* SPDX-License-Identifier: MIT */
#include "daemon/response_store.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/xalloc.h"
#include "daemon/sql_file.h"

enum { MIN_BYTES = 16 << 20, SLICE = 8, MAX_SLICES = 4096 };

struct response_store {
    struct sql_file file;
    struct response_limits limits;
    bool limited; /* the limits are known */
};

static const char *const migrations[] = {
    "CREATE TABLE response(n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, previous TEXT,"
    " used INTEGER NOT NULL, input TEXT NOT NULL, body TEXT NOT NULL) STRICT;"
    "CREATE INDEX response_used ON response(used);",
    "ALTER TABLE response ADD COLUMN owner TEXT;",
};
static const struct sql_kind kind = {
    .name = "file of responses",
    .too_large = "The conversation is too long; begin a new one.",
    .migrations = migrations,
    .version = sizeof migrations / sizeof migrations[0],
};

/* Parameter 9 is the owner that asks; NULL may read all. */
#define OWNED "(?9 IS NULL OR owner = ?9)"

/* The response ?1 and those before it. A response is older than what continues it; the depth
 * ends a circle in a file that is not ours. */
#define CHAIN                                                                                  \
    "WITH RECURSIVE chain(n, previous, depth) AS (SELECT n, previous, 0 FROM response"         \
    " WHERE id = ?1 AND " OWNED " UNION ALL SELECT r.n, r.previous, c.depth + 1 FROM chain c"  \
    " JOIN response r ON r.id = c.previous WHERE c.depth < 100000) "

/* Its items, oldest first; those of the output of ?1 itself only if ?2. */
static const char items_sql[] = CHAIN
    "SELECT item FROM (SELECT depth, 0 AS half, e.key AS place, e.value AS item FROM chain"
    " JOIN response USING(n), json_each(input) e UNION ALL"
    " SELECT depth, 1, e.key, e.value FROM chain JOIN response USING(n),"
    " json_each(body, '$.output') e WHERE depth > 0 OR ?2)"
    " ORDER BY depth DESC, half, place";

/* How long the chain is, and how many links lead nowhere. */
static const char chain_sql[] = CHAIN
    "SELECT count(*), coalesce(sum(previous IS NOT NULL AND NOT EXISTS("
    "SELECT 1 FROM response r WHERE r.id = chain.previous)), 0) FROM chain";

static const char touch_sql[] = CHAIN
    "UPDATE response SET used = max(used, ?2) WHERE n IN (SELECT n FROM chain)";

/* Everything that has an id of its own. */
static const char own_items_sql[] =
    "SELECT e.value, json_extract(e.value, '$.id') FROM response, json_each(body, '$.output') e"
    " WHERE response.id = ?1 AND e.type = 'object' AND " OWNED
    " UNION ALL SELECT e.value, json_extract(e.value, '$.id') FROM response, json_each(input) e"
    " WHERE response.id = ?1 AND e.type = 'object' AND " OWNED;

void stored_response_clear(struct stored_response *response) {
    free(response->id);
    free(response->previous);
    free(response->owner);
    buf_clear(&response->input);
    buf_clear(&response->body);
    *response = (struct stored_response){ 0 };
}

/* ---- one piece of work on the file ---- */

struct work {
    const struct response_store *store;
    msec now;
    const struct stored_response *response;
    const struct past_wanted *wanted;
    const char *id, *owner;
    struct buf *out;
    size_t bytes; /* of the rows so far */
    struct error *err;
    bool failed; /* *err says why, and the file is in order */
};

static int work_fail(struct work *w) {
    w->failed = true;
    return SQLITE_OK;
}

static bool perform(struct response_store *s, int (*step)(void *ctx, sqlite3 *db),
                    struct work *w) {
    w->store = s;
    return sql_file_with(&s->file, step, w, w->err) && !w->failed;
}

/* A statement whose first parameter is an id, and whose ninth is the owner that asks. */
static int prepare_for(const struct work *w, sqlite3 *db, const char *sql, const char *id,
                       sqlite3_stmt **ret) {
    int rc = sql_prepare(db, sql, ret);
    if (rc == SQLITE_OK) rc = sqlite3_bind_text(*ret, 1, id, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK) rc = sqlite3_bind_text(*ret, 9, w->owner, -1, SQLITE_STATIC);
    return rc;
}

static int not_found(struct work *w, const char *id) {
    error_set(w->err, ERR_NOT_FOUND,
              "There is no stored response \"%.80s\"; it may have been removed.", id);
    return work_fail(w);
}

/* ---- writing ---- */

static nbytes room_of(const struct response_store *s) {
    return s->limits.max_bytes < MIN_BYTES ? MIN_BYTES : s->limits.max_bytes;
}

/* Bytes of the file, and those of them that are in use. */
static int measure(sqlite3 *db, nbytes *ret_all, nbytes *ret_used) {
    int64_t pages = 0, unused = 0, size = 0;
    int rc = sql_ask_one(db, "PRAGMA page_count", &pages);
    if (rc == SQLITE_OK) rc = sql_ask_one(db, "PRAGMA freelist_count", &unused);
    if (rc == SQLITE_OK) rc = sql_ask_one(db, "PRAGMA page_size", &size);
    *ret_all = (nbytes)(pages * size);
    *ret_used = (nbytes)((pages - unused) * size);
    return rc;
}

static int remove_old(sqlite3 *db, msec until) {
    int rc = sql_ask(db, "DELETE FROM response WHERE used <= ?1", &until, 1, NULL);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* Room for a response of a sixteenth of the limit is left, and for the write-ahead log. */
static int make_room(const struct response_store *s, sqlite3 *db) {
    static const char sql[] = "DELETE FROM response WHERE n IN"
                              " (SELECT n FROM response ORDER BY used, n LIMIT ?1)";
    int64_t slice = SLICE;
    nbytes all = 0, used = 0, most = room_of(s) / 8 * 5;
    int rc = measure(db, &all, &used);
    for (int i = 0; rc == SQLITE_OK && used > most && i < MAX_SLICES; i++) {
        rc = sql_ask(db, sql, &slice, 1, NULL);
        if (rc == SQLITE_DONE) rc = measure(db, &all, &used);
    }
    return rc;
}

static int insert(const struct work *w, sqlite3 *db) {
    const struct stored_response *r = w->response;
    sqlite3_stmt *stmt;
    int rc = prepare_for(
        w, db,
        "INSERT OR REPLACE INTO response(id, previous, used, input, body, owner)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?9)",
        r->id, &stmt);
    if (rc == SQLITE_OK) {
        sqlite3_bind_text(stmt, 2, r->previous, -1, SQLITE_STATIC);
        sqlite3_bind_int64(stmt, 3, w->now);
        sqlite3_bind_text(stmt, 4, buf_str(&r->input), (int)r->input.len, SQLITE_STATIC);
        sqlite3_bind_text(stmt, 5, buf_str(&r->body), (int)r->body.len, SQLITE_STATIC);
        rc = sqlite3_step(stmt);
    }
    sqlite3_finalize(stmt);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* The limit was lowered. Not inside a transaction; without room for it the file stays large. */
static int shrink(const struct response_store *s, sqlite3 *db) {
    nbytes all = 0, used = 0;
    int rc = measure(db, &all, &used);
    if (rc == SQLITE_OK && all > room_of(s)) (void)sql_run(db, "VACUUM");
    return rc;
}

/* What is removed is overwritten: it is what somebody said. */
static int write_one(void *ctx, sqlite3 *db) {
    const struct work *w = ctx;
    int rc = sql_run(db, "PRAGMA secure_delete = ON; BEGIN IMMEDIATE");
    if (rc == SQLITE_OK) rc = remove_old(db, w->now - w->store->limits.max_age);
    if (rc == SQLITE_OK) rc = make_room(w->store, db);
    if (rc == SQLITE_OK) rc = insert(w, db);
    if (rc == SQLITE_OK) rc = sql_run(db, "COMMIT");
    return rc == SQLITE_OK ? shrink(w->store, db) : rc;
}

bool response_store_write(struct response_store *s, const struct stored_response *response,
                          msec now, struct error *err) {
    struct work w = { .now = now, .response = response, .owner = response->owner, .err = err };
    nbytes most = room_of(s) / 16;
    if (s->limits.max_bytes == 0) return true;
    if (response->input.len + response->body.len > most) {
        return error_set(err, ERR_TOO_LARGE,
                         "A response of %zu bytes is too large to be stored.",
                         response->input.len + response->body.len);
    }
    return perform(s, write_one, &w);
}

static int remove_one(void *ctx, sqlite3 *db) {
    struct work *w = ctx;
    sqlite3_stmt *stmt;
    int rc = sql_run(db, "PRAGMA secure_delete = ON");
    if (rc != SQLITE_OK) return rc;
    rc = prepare_for(w, db, "DELETE FROM response WHERE id = ?1 AND " OWNED, w->id, &stmt);
    if (rc == SQLITE_OK) rc = sqlite3_step(stmt);
    sqlite3_finalize(stmt);
    if (rc != SQLITE_DONE) return rc;
    return sqlite3_changes(db) > 0 ? SQLITE_OK : not_found(w, w->id);
}

bool response_store_remove(struct response_store *s, const char *id, const char *owner,
                           struct error *err) {
    struct work w = { .id = id, .owner = owner, .err = err };
    return perform(s, remove_one, &w);
}

/* ---- reading ---- */

static int read_one(void *ctx, sqlite3 *db) {
    struct work *w = ctx;
    sqlite3_stmt *stmt;
    buf_reset(w->out);
    int rc = prepare_for(w, db, "SELECT body FROM response WHERE id = ?1 AND " OWNED, w->id,
                         &stmt);
    if (rc == SQLITE_OK) rc = sqlite3_step(stmt);
    bool kept = rc != SQLITE_ROW || buf_add(w->out, sqlite3_column_text(stmt, 0),
                                            (size_t)sqlite3_column_bytes(stmt, 0));
    sqlite3_finalize(stmt);
    if (rc == SQLITE_DONE) return not_found(w, w->id);
    return rc != SQLITE_ROW ? rc : kept ? SQLITE_OK : SQLITE_TOOBIG;
}

bool response_store_read(struct response_store *s, const char *id, const char *owner,
                         struct buf *out, struct error *err) {
    struct work w = { .id = id, .owner = owner, .out = out, .err = err };
    return perform(s, read_one, &w);
}

/* Append the items of the chain to a list. */
static int add_items(struct work *w, sqlite3 *db, const char *id, bool with_output,
                     yyjson_mut_doc *doc, yyjson_mut_val *list) {
    sqlite3_stmt *stmt;
    int rc = prepare_for(w, db, items_sql, id, &stmt);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int(stmt, 2, with_output);
    if (rc == SQLITE_OK) rc = sql_add_rows(stmt, doc, list, &w->bytes, w->out->max);
    sqlite3_finalize(stmt);
    return rc;
}

static int finish(const struct work *w, yyjson_mut_doc *doc, int rc) {
    buf_reset(w->out);
    if (rc == SQLITE_OK && !w->failed && !json_write(doc, w->out)) rc = SQLITE_TOOBIG;
    yyjson_mut_doc_free(doc);
    return rc;
}

static int read_input(void *ctx, sqlite3 *db) {
    struct work *w = ctx;
    yyjson_mut_val *list;
    int rc = read_one(ctx, db);
    if (rc != SQLITE_OK || w->failed) return rc;
    yyjson_mut_doc *doc = json_array_new(&list);
    rc = add_items(w, db, w->id, false, doc, list);
    return finish(w, doc, rc);
}

bool response_store_read_input(struct response_store *s, const char *id, const char *owner,
                               struct buf *out, struct error *err) {
    struct work w = { .id = id, .owner = owner, .out = out, .err = err };
    return perform(s, read_input, &w);
}

/* ---- going on ---- */

static int check_chain(struct work *w, sqlite3 *db, const char *id) {
    sqlite3_stmt *stmt;
    int rc = prepare_for(w, db, chain_sql, id, &stmt);
    if (rc == SQLITE_OK) rc = sqlite3_step(stmt);
    int count = rc == SQLITE_ROW ? sqlite3_column_int(stmt, 0) : 0;
    int broken = rc == SQLITE_ROW ? sqlite3_column_int(stmt, 1) : 0;
    sqlite3_finalize(stmt);
    if (rc != SQLITE_ROW) return rc;
    if (count > 0 && broken == 0) return SQLITE_OK;
    error_set_param(w->err, ERR_INVALID_REQUEST, "previous_response_id",
                    count > 0 ? "A response before \"%.80s\" was removed; send the whole "
                                "conversation in 'input'."
                              : "There is no stored response \"%.80s\"; send the whole "
                                "conversation in 'input'.",
                    id);
    return work_fail(w);
}

/* Without room for that they are only forgotten sooner. */
static void touch(const struct work *w, sqlite3 *db, const char *id) {
    sqlite3_stmt *stmt;
    if (prepare_for(w, db, touch_sql, id, &stmt) == SQLITE_OK) {
        sqlite3_bind_int64(stmt, 2, w->now);
        (void)sqlite3_step(stmt);
    }
    sqlite3_finalize(stmt);
}

static int find_chain(struct work *w, sqlite3 *db, yyjson_mut_doc *doc, yyjson_mut_val *list) {
    const char *id = w->wanted->previous;
    if (!id) return SQLITE_OK;
    int rc = check_chain(w, db, id);
    if (rc != SQLITE_OK || w->failed) return rc;
    touch(w, db, id);
    return add_items(w, db, id, true, doc, list);
}

/* A reference and what it names. */
struct reference {
    const struct past_item *item;
    size_t place;        /* among the references of the body */
    yyjson_mut_val *val; /* NULL: not found */
};

static int compare_names(const void *a, const void *b) {
    const struct reference *x = a, *y = b;
    int order = strcmp(x->item->response, y->item->response);
    return order ? order : strcmp(x->item->id, y->item->id);
}

static int compare_places(const void *a, const void *b) {
    const struct reference *x = a, *y = b;
    return (x->place > y->place) - (x->place < y->place);
}

/* For each reference to this item; the first item of an id is meant. */
static int take_row(struct work *w, sqlite3_stmt *row, struct reference *refs, size_t count,
                    yyjson_mut_doc *doc) {
    const char *json = (const char *)sqlite3_column_text(row, 0);
    const char *id = (const char *)sqlite3_column_text(row, 1);
    size_t len = (size_t)sqlite3_column_bytes(row, 0), low = 0, high = count;
    while (id && low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(refs[middle].item->id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; id && low < count && strcmp(refs[low].item->id, id) == 0; low++) {
        if (refs[low].val) continue;
        if (!json || (w->bytes += len) > w->out->max) return SQLITE_TOOBIG;
        refs[low].val = yyjson_mut_rawncpy(doc, json, len);
    }
    return SQLITE_ROW;
}

/* References to the same response, by their ids: it is read once, however many they are. */
static int find_own_items(struct work *w, sqlite3 *db, struct reference *refs, size_t count,
                          yyjson_mut_doc *doc) {
    sqlite3_stmt *stmt;
    int rc = prepare_for(w, db, own_items_sql, refs->item->response, &stmt);
    if (rc == SQLITE_OK) rc = SQLITE_ROW;
    while (rc == SQLITE_ROW && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
        rc = take_row(w, stmt, refs, count, doc);
    sqlite3_finalize(stmt);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int find_references(struct work *w, sqlite3 *db, struct reference *refs, size_t count,
                           yyjson_mut_doc *doc) {
    int rc = SQLITE_OK;
    qsort(refs, count, sizeof *refs, compare_names);
    for (size_t i = 0, same; rc == SQLITE_OK && i < count; i += same) {
        for (same = 1; i + same < count; same++) {
            if (strcmp(refs[i + same].item->response, refs[i].item->response) != 0) break;
        }
        rc = find_own_items(w, db, refs + i, same, doc);
    }
    qsort(refs, count, sizeof *refs, compare_places);
    return rc;
}

static int find_items(struct work *w, sqlite3 *db, yyjson_mut_doc *doc, yyjson_mut_val *list) {
    size_t count = w->wanted->item_count;
    struct reference *refs = xcalloc(count + 1, sizeof *refs);
    for (size_t i = 0; i < count; i++)
        refs[i] = (struct reference){ .item = &w->wanted->items[i], .place = i };
    int rc = find_references(w, db, refs, count, doc);
    for (size_t i = 0; rc == SQLITE_OK && !w->failed && i < count; i++) {
        if (refs[i].val) {
            yyjson_mut_arr_append(list, refs[i].val);
        } else {
            error_set_param(w->err, ERR_INVALID_REQUEST, "input",
                            "There is no stored item \"%.80s\"; send the item itself.",
                            refs[i].item->id);
            rc = work_fail(w);
        }
    }
    free(refs);
    return rc;
}

static int find_past(void *ctx, sqlite3 *db) {
    struct work *w = ctx;
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    w->bytes = 0;
    int rc = find_chain(w, db, doc, yyjson_mut_obj_add_arr(doc, root, "items"));
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, root, "referenced");
    if (rc == SQLITE_OK && !w->failed) rc = find_items(w, db, doc, list);
    return finish(w, doc, rc);
}

bool response_store_find(struct response_store *s, const struct past_wanted *wanted,
                         const char *owner, msec now, struct buf *out, struct error *err) {
    struct work w = { .now = now, .owner = owner, .wanted = wanted, .out = out, .err = err };
    return perform(s, find_past, &w);
}

/* ---- life ---- */

struct response_store *response_store_new(const char *path) {
    struct response_store *s = xcalloc(1, sizeof *s);
    sql_file_init(&s->file, &kind, path, MIN_BYTES);
    return s;
}

void response_store_free(struct response_store *s) {
    if (!s) return;
    sql_file_clear(&s->file);
    free(s);
}

void response_store_limit(struct response_store *s, const struct response_limits *limits) {
    bool same = s->limited && s->limits.max_bytes == limits->max_bytes;
    s->limits = *limits;
    s->limited = true;
    if (same) return;
    sql_file_rest(&s->file); /* it gets its size when it is opened */
    s->file.max_bytes = room_of(s);
    if (limits->max_bytes == 0) sql_file_remove(&s->file);
}

void response_store_rest(struct response_store *s) {
    sql_file_rest(&s->file);
}

bool response_store_take_damage(struct response_store *s) {
    return sql_file_take_damage(&s->file);
}
