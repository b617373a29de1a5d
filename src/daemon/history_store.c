/* SPDX-License-Identifier: MIT */
#include "daemon/history_store.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/xalloc.h"
#include "daemon/sql_file.h"

enum {
    SLICE = 2000, /* notes removed at a time when there is no room */
    MAX_SLICES = 16,
};

struct history_store {
    struct sql_file file;
    msec max_age;
    int64_t run; /* 0: the file was not used yet */
    int run_of;  /* file.replaced when the run began */
};

static const char *const migrations[] = {
    "CREATE TABLE event(n INTEGER PRIMARY KEY, run INTEGER NOT NULL, seq INTEGER NOT NULL,"
    " at INTEGER NOT NULL, id TEXT NOT NULL, model TEXT NOT NULL, from_state TEXT NOT NULL,"
    " to_state TEXT NOT NULL, reason TEXT NOT NULL, origin TEXT NOT NULL,"
    " generation INTEGER NOT NULL, memory_bytes INTEGER, load_time_seconds REAL, error TEXT)"
    " STRICT;"
    "CREATE INDEX event_at ON event(at);"
    "CREATE TABLE memory(n INTEGER PRIMARY KEY, at INTEGER NOT NULL,"
    " total_bytes INTEGER NOT NULL, available_bytes INTEGER NOT NULL, instances TEXT NOT NULL)"
    " STRICT;"
    "CREATE INDEX memory_at ON memory(at);",
    "ALTER TABLE memory ADD COLUMN parked TEXT NOT NULL DEFAULT '[]';",
};
static const struct sql_kind kind = {
    .name = "history",
    .too_large = "This part of the history is too large; ask for a shorter time or a smaller "
                 "'limit'.",
    .migrations = migrations,
    .version = sizeof migrations / sizeof migrations[0],
};

/* ?1 is the run, ?2 the note. */
static const char *const inserts[HISTORY_KINDS] = {
    [HISTORY_EVENT] =
        "INSERT INTO event(run, seq, at, id, model, from_state, to_state, reason, origin,"
        " generation, memory_bytes, load_time_seconds, error)"
        " SELECT ?1, json_extract(?2, '$.seq'), json_extract(?2, '$.at'),"
        " json_extract(?2, '$.id'), json_extract(?2, '$.model'), json_extract(?2, '$.from'),"
        " json_extract(?2, '$.to'), json_extract(?2, '$.reason'),"
        " json_extract(?2, '$.origin'), json_extract(?2, '$.generation'),"
        " json_extract(?2, '$.memory_bytes'), json_extract(?2, '$.load_time_seconds'),"
        " json_extract(?2, '$.error')",
    [HISTORY_MEMORY] =
        "INSERT INTO memory(at, total_bytes, available_bytes, instances, parked)"
        " SELECT json_extract(?2, '$.at'), json_extract(?2, '$.total_bytes'),"
        " json_extract(?2, '$.available_bytes'), json_extract(?2, '$.instances'),"
        " json_extract(?2, '$.parked')",
};

struct listing {
    const char *name;
    const char *left_out; /* the newest of ?1..?2 that is not among the ?3 newest */
    const char *rows;     /* those of ?1..?2 after (?3, ?4); JSON */
};

/* json_patch of {} with an object gives the object without its nulls (RFC 7396). */
static const struct listing listings[] = {
    { "events",
      "SELECT at, n FROM event WHERE at BETWEEN ?1 AND ?2"
      " ORDER BY at DESC, n DESC LIMIT 1 OFFSET ?3",
      "SELECT json_patch('{}', json_object('run', run, 'seq', seq, 'at', at, 'id', id,"
      " 'model', model, 'from', from_state, 'to', to_state, 'reason', reason,"
      " 'origin', origin, 'generation', generation, 'memory_bytes', memory_bytes,"
      " 'load_time_seconds', load_time_seconds, 'error', error))"
      " FROM event WHERE at BETWEEN ?1 AND ?2 AND (at, n) > (?3, ?4) ORDER BY at, n" },
    { "memory",
      "SELECT at, n FROM memory WHERE at BETWEEN ?1 AND ?2"
      " ORDER BY at DESC, n DESC LIMIT 1 OFFSET ?3",
      "SELECT json_object('at', at, 'total_bytes', total_bytes, 'available_bytes',"
      " available_bytes, 'instances', json(instances), 'parked', json(parked))"
      " FROM memory WHERE at BETWEEN ?1 AND ?2 AND (at, n) > (?3, ?4) ORDER BY at, n" },
};

/* ---- writing ---- */

struct batch {
    struct history_store *store;
    const struct history_note *notes;
    size_t count;
    msec now;
};

static int begin_run(struct history_store *s, sqlite3 *db) {
    int64_t last = 0;
    if (s->run > 0 && s->run_of == s->file.replaced) return SQLITE_OK;
    int rc = sql_ask(db, "SELECT run FROM event ORDER BY n DESC LIMIT 1", NULL, 0, &last);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) return rc;
    s->run = last + 1;
    s->run_of = s->file.replaced;
    return SQLITE_OK;
}

static int insert(const struct batch *batch, sqlite3_stmt *const *stmts) {
    int rc = SQLITE_DONE;
    for (size_t i = 0; i < batch->count && rc == SQLITE_DONE; i++) {
        sqlite3_stmt *stmt = stmts[batch->notes[i].kind];
        sqlite3_bind_int64(stmt, 1, batch->store->run);
        sqlite3_bind_text(stmt, 2, batch->notes[i].json, -1, SQLITE_STATIC);
        rc = sqlite3_step(stmt);
        sqlite3_reset(stmt);
    }
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int insert_all(const struct batch *batch, sqlite3 *db) {
    sqlite3_stmt *stmts[HISTORY_KINDS] = { 0 };
    int rc = begin_run(batch->store, db);
    for (int i = 0; rc == SQLITE_OK && i < HISTORY_KINDS; i++) {
        rc = sql_prepare(db, inserts[i], &stmts[i]);
    }
    if (rc == SQLITE_OK) rc = insert(batch, stmts);
    for (int i = 0; i < HISTORY_KINDS; i++) sqlite3_finalize(stmts[i]);
    return rc;
}

static int remove_until(sqlite3 *db, int64_t at) {
    int rc = sql_ask(db, "DELETE FROM event WHERE at <= ?1", &at, 1, NULL);
    if (rc == SQLITE_DONE) rc = sql_ask(db, "DELETE FROM memory WHERE at <= ?1", &at, 1, NULL);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* The time of the SLICE-th oldest note, or of the newest if there are fewer. */
static int oldest_slice(sqlite3 *db, int64_t *ret_at) {
    static const char *const sql =
        "SELECT max(at) FROM (SELECT at FROM (SELECT at FROM event UNION ALL"
        " SELECT at FROM memory) ORDER BY at LIMIT ?1)";
    int64_t slice = SLICE;
    int rc = sql_ask(db, sql, &slice, 1, ret_at);
    return rc == SQLITE_ROW ? SQLITE_OK : rc;
}

static int make_room(sqlite3 *db) {
    bool crowded = false;
    int rc = sql_is_crowded(db, &crowded);
    for (int i = 0; rc == SQLITE_OK && crowded && i < MAX_SLICES; i++) {
        int64_t at = 0;
        rc = oldest_slice(db, &at);
        if (rc == SQLITE_OK) rc = remove_until(db, at);
        if (rc == SQLITE_OK) rc = sql_is_crowded(db, &crowded);
    }
    return rc;
}

static int write_batch(void *ctx, sqlite3 *db) {
    const struct batch *batch = ctx;
    int rc = sql_run(db, "BEGIN IMMEDIATE");
    if (rc == SQLITE_OK) rc = remove_until(db, batch->now - batch->store->max_age);
    if (rc == SQLITE_OK) rc = make_room(db);
    if (rc == SQLITE_OK) rc = insert_all(batch, db);
    if (rc == SQLITE_OK) rc = sql_run(db, "COMMIT");
    return rc; /* a failure closes the file, which rolls back */
}

bool history_store_write(struct history_store *s, const struct history_note *notes,
                         size_t count, msec now, struct error *err) {
    struct batch batch = { s, notes, count, now };
    return sql_file_with(&s->file, write_batch, &batch, err);
}

/* ---- reading ---- */

struct reading {
    struct history_store *store;
    const struct history_query *query;
    yyjson_mut_doc *doc;
    yyjson_mut_val *root;
    size_t bytes; /* of the rows so far */
    bool truncated;
    struct buf *out;
};

static int add_listing(struct reading *r, sqlite3 *db, const struct listing *listing) {
    const struct history_query *q = r->query;
    int64_t wanted[] = { q->from, q->until, q->limit };
    int64_t after[] = { q->from, -1 };
    sqlite3_stmt *stmt;
    int rc = sql_ask(db, listing->left_out, wanted, 3, after);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) return rc;
    if (rc == SQLITE_ROW) r->truncated = true;
    rc = sql_prepare(db, listing->rows, &stmt);
    if (rc != SQLITE_OK) return rc;
    int64_t params[] = { q->from, q->until, after[0], after[1] };
    for (int i = 0; i < 4; i++) sqlite3_bind_int64(stmt, i + 1, params[i]);
    rc = sql_add_rows(stmt, r->doc, yyjson_mut_obj_add_arr(r->doc, r->root, listing->name),
                      &r->bytes, r->out->max);
    sqlite3_finalize(stmt);
    return rc;
}

static int read_range(void *ctx, sqlite3 *db) {
    struct reading *r = ctx;
    int rc = begin_run(r->store, db);
    buf_reset(r->out);
    r->bytes = 0;
    r->truncated = false;
    r->doc = json_object_new(&r->root);
    yyjson_mut_obj_add_int(r->doc, r->root, "from", r->query->from);
    yyjson_mut_obj_add_int(r->doc, r->root, "until", r->query->until);
    yyjson_mut_obj_add_int(r->doc, r->root, "run", r->store->run);
    for (size_t i = 0; rc == SQLITE_OK && i < sizeof listings / sizeof listings[0]; i++) {
        rc = add_listing(r, db, &listings[i]);
    }
    yyjson_mut_obj_add_bool(r->doc, r->root, "truncated", r->truncated);
    if (rc == SQLITE_OK && !json_write(r->doc, r->out)) rc = SQLITE_TOOBIG;
    yyjson_mut_doc_free(r->doc);
    return rc;
}

bool history_store_read(struct history_store *s, const struct history_query *query,
                        struct buf *out, struct error *err) {
    struct reading reading = { .store = s, .query = query, .out = out };
    return sql_file_with(&s->file, read_range, &reading, err);
}

/* ---- life ---- */

struct history_store *history_store_new(const char *path, const struct history_limits *limits) {
    struct history_store *s = xcalloc(1, sizeof *s);
    sql_file_init(&s->file, &kind, path, limits->max_bytes);
    s->max_age = limits->max_age;
    return s;
}

void history_store_free(struct history_store *s) {
    if (!s) return;
    sql_file_clear(&s->file);
    free(s);
}

void history_store_rest(struct history_store *s) {
    sql_file_rest(&s->file);
}

bool history_store_take_damage(struct history_store *s) {
    return sql_file_take_damage(&s->file);
}
