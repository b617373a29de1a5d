/* SPDX-License-Identifier: MIT */
#include "daemon/history_store.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "base/xalloc.h"
#include "daemon/file.h"

enum {
    PAGE = 4096,
    LOG_PAGES = 256,           /* the write-ahead log is moved into the file at this size */
    LOG_BYTES = 4 * (1 << 20), /* and is assumed to need at most this much room */
    BUSY_MS = 2000,
    SLICE = 2000, /* notes removed at a time when there is no room */
    MAX_SLICES = 16,
};

struct history_store {
    char *path;
    struct history_limits limits;
    sqlite3 *db; /* NULL: closed */
    int64_t run; /* 0: nothing was written yet */
    bool damaged;
};

/* user_version says how many of these a file has seen. */
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
};
enum { VERSION = sizeof migrations / sizeof migrations[0] };

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
        "INSERT INTO memory(at, total_bytes, available_bytes, instances)"
        " SELECT json_extract(?2, '$.at'), json_extract(?2, '$.total_bytes'),"
        " json_extract(?2, '$.available_bytes'), json_extract(?2, '$.instances')",
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
      " available_bytes, 'instances', json(instances))"
      " FROM memory WHERE at BETWEEN ?1 AND ?2 AND (at, n) > (?3, ?4) ORDER BY at, n" },
};

/* ---- SQLite, a little shorter ---- */

/* Our statements fail to compile only if the tables are not ours. */
static int prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret_stmt) {
    int rc = sqlite3_prepare_v2(db, sql, -1, ret_stmt, NULL);
    return rc == SQLITE_ERROR ? SQLITE_CORRUPT : rc;
}

static int run_sql(sqlite3 *db, const char *sql) {
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

/* Run a statement with integer parameters; the integers of its first row go to ret_columns.
 * SQLITE_ROW or SQLITE_DONE if that worked. */
static int ask(sqlite3 *db, const char *sql, const int64_t *params, int param_count,
               int64_t *ret_columns) {
    sqlite3_stmt *stmt;
    int rc = prepare(db, sql, &stmt);
    if (rc != SQLITE_OK) return rc;
    for (int i = 0; i < param_count; i++) sqlite3_bind_int64(stmt, i + 1, params[i]);
    rc = sqlite3_step(stmt);
    for (int i = 0; rc == SQLITE_ROW && i < sqlite3_column_count(stmt); i++) {
        ret_columns[i] = sqlite3_column_int64(stmt, i);
    }
    sqlite3_finalize(stmt);
    return rc;
}

/* The same for one integer that must exist. */
static int ask_one(sqlite3 *db, const char *sql, int64_t *ret_value) {
    int rc = ask(db, sql, NULL, 0, ret_value);
    return rc == SQLITE_ROW ? SQLITE_OK : rc == SQLITE_DONE ? SQLITE_CORRUPT : rc;
}

/* ---- the file ---- */

static int migrate(sqlite3 *db) {
    int64_t version = 0;
    int rc = ask_one(db, "PRAGMA user_version", &version);
    if (rc == SQLITE_OK && version > VERSION) return SQLITE_MISMATCH;
    for (; rc == SQLITE_OK && version < VERSION; version++) {
        char done[64];
        snprintf(done, sizeof done, "PRAGMA user_version = %d; COMMIT", (int)version + 1);
        rc = run_sql(db, "BEGIN IMMEDIATE");
        if (rc == SQLITE_OK) rc = run_sql(db, migrations[version]);
        if (rc == SQLITE_OK) rc = run_sql(db, done);
        if (rc == SQLITE_ERROR) rc = SQLITE_CORRUPT; /* other tables of these names */
    }
    return rc;
}

/* A small cache: there is little to find, and the daemon has to stay small. */
static int set_up(const struct history_store *s) {
    char sql[256];
    int64_t pages = ((int64_t)s->limits.max_bytes - LOG_BYTES) / PAGE;
    snprintf(sql, sizeof sql,
             "PRAGMA page_size = %d; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
             "PRAGMA cache_size = -256; PRAGMA wal_autocheckpoint = %d;"
             "PRAGMA journal_size_limit = %d; PRAGMA max_page_count = %lld",
             PAGE, LOG_PAGES, LOG_BYTES, (long long)pages);
    return run_sql(s->db, sql);
}

/* Private; the log and its index inherit the file's mode. */
static void make_private(const char *path) {
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0) close(fd); /* if not, SQLite says why */
}

static int open_file(struct history_store *s) {
    if (s->db) return SQLITE_OK;
    make_private(s->path);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int rc = sqlite3_open_v2(s->path, &s->db, flags, NULL);
    if (rc != SQLITE_OK) return rc;
    sqlite3_busy_timeout(s->db, BUSY_MS);
    rc = set_up(s);
    return rc == SQLITE_OK ? migrate(s->db) : rc;
}

void history_store_rest(struct history_store *s) {
    sqlite3_close(s->db); /* the last connection to a file moves its log into it */
    s->db = NULL;
}

/* Log first: left beside a new file, it would be taken for its log. */
static bool set_aside(struct history_store *s, struct error *err) {
    char *log = xasprintf("%s-wal", s->path), *kept = xasprintf("%s.corrupt-wal", s->path);
    char *index = xasprintf("%s-shm", s->path);
    if (rename(log, kept) < 0) unlink(kept); /* there is none: remove the older one, too */
    unlink(index);
    free(log);
    free(kept);
    free(index);
    if (!file_set_aside(s->path, err)) return false;
    s->run = 0;
    s->damaged = true;
    return true;
}

static void explain(const struct history_store *s, int rc, struct error *err) {
    switch (rc & 0xff) {
    case SQLITE_FULL:
        error_set(err, ERR_IO, "The disk is full: free some space for %s.", s->path);
        return;
    case SQLITE_MISMATCH:
        error_set(err, ERR_IO,
                  "%s was written by a newer doze; use that version or move the file away.",
                  s->path);
        return;
    case SQLITE_TOOBIG:
        error_set(err, ERR_TOO_LARGE,
                  "This part of the history is too large; ask for a shorter time or a smaller "
                  "'limit'.");
        return;
    default:
        error_set(err, ERR_IO, "The history in %s cannot be used: %s.", s->path,
                  s->db ? sqlite3_errmsg(s->db) : sqlite3_errstr(rc));
    }
}

static bool is_damage(int rc) {
    return (rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB;
}

/* Do the work on the open file; if that is damaged, once more on a new one. After a failure the
 * file is closed, so that the next call opens it again. */
static bool with_file(struct history_store *s, int (*work)(struct history_store *s, void *arg),
                      void *arg, struct error *err) {
    for (bool again = false;; again = true) {
        int rc = open_file(s);
        if (rc == SQLITE_OK) rc = work(s, arg);
        if (rc == SQLITE_OK) return true;
        explain(s, rc, err);
        history_store_rest(s);
        if (again || !is_damage(rc) || !set_aside(s, err)) return false;
    }
}

/* ---- writing ---- */

struct batch {
    const struct history_note *notes;
    size_t count;
    msec now;
};

static int begin_run(struct history_store *s) {
    int64_t last = 0;
    if (s->run > 0) return SQLITE_OK;
    int rc = ask(s->db, "SELECT run FROM event ORDER BY n DESC LIMIT 1", NULL, 0, &last);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) return rc;
    s->run = last + 1;
    return SQLITE_OK;
}

static int insert(struct history_store *s, sqlite3_stmt *const *stmts,
                  const struct batch *batch) {
    int rc = SQLITE_DONE;
    for (size_t i = 0; i < batch->count && rc == SQLITE_DONE; i++) {
        sqlite3_stmt *stmt = stmts[batch->notes[i].kind];
        sqlite3_bind_int64(stmt, 1, s->run);
        sqlite3_bind_text(stmt, 2, batch->notes[i].json, -1, SQLITE_STATIC);
        rc = sqlite3_step(stmt);
        sqlite3_reset(stmt);
    }
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int insert_all(struct history_store *s, const struct batch *batch) {
    sqlite3_stmt *stmts[HISTORY_KINDS] = { 0 };
    int rc = begin_run(s);
    for (int kind = 0; rc == SQLITE_OK && kind < HISTORY_KINDS; kind++) {
        rc = prepare(s->db, inserts[kind], &stmts[kind]);
    }
    if (rc == SQLITE_OK) rc = insert(s, stmts, batch);
    for (int kind = 0; kind < HISTORY_KINDS; kind++) sqlite3_finalize(stmts[kind]);
    return rc;
}

static int remove_until(sqlite3 *db, int64_t at) {
    int rc = ask(db, "DELETE FROM event WHERE at <= ?1", &at, 1, NULL);
    if (rc == SQLITE_DONE) rc = ask(db, "DELETE FROM memory WHERE at <= ?1", &at, 1, NULL);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* The time of the SLICE-th oldest note, or of the newest if there are fewer. */
static int oldest_slice(sqlite3 *db, int64_t *ret_at) {
    static const char *const sql =
        "SELECT max(at) FROM (SELECT at FROM (SELECT at FROM event UNION ALL"
        " SELECT at FROM memory) ORDER BY at LIMIT ?1)";
    int64_t slice = SLICE;
    int rc = ask(db, sql, &slice, 1, ret_at);
    return rc == SQLITE_ROW ? SQLITE_OK : rc;
}

/* Might the next batch not fit into the file? */
static int is_crowded(const struct history_store *s, bool *ret_crowded) {
    int64_t all = 0, unused = 0, most = 0;
    int rc = ask_one(s->db, "PRAGMA page_count", &all);
    if (rc == SQLITE_OK) rc = ask_one(s->db, "PRAGMA freelist_count", &unused);
    if (rc == SQLITE_OK) rc = ask_one(s->db, "PRAGMA max_page_count", &most);
    *ret_crowded = all - unused > most - most / 8;
    return rc;
}

static int make_room(const struct history_store *s) {
    bool crowded = false;
    int rc = is_crowded(s, &crowded);
    for (int i = 0; rc == SQLITE_OK && crowded && i < MAX_SLICES; i++) {
        int64_t at = 0;
        rc = oldest_slice(s->db, &at);
        if (rc == SQLITE_OK) rc = remove_until(s->db, at);
        if (rc == SQLITE_OK) rc = is_crowded(s, &crowded);
    }
    return rc;
}

static int write_batch(struct history_store *s, void *arg) {
    const struct batch *batch = arg;
    int rc = run_sql(s->db, "BEGIN IMMEDIATE");
    if (rc == SQLITE_OK) rc = remove_until(s->db, batch->now - s->limits.max_age);
    if (rc == SQLITE_OK) rc = make_room(s);
    if (rc == SQLITE_OK) rc = insert_all(s, batch);
    if (rc == SQLITE_OK) rc = run_sql(s->db, "COMMIT");
    return rc; /* a failure closes the file, which rolls back */
}

bool history_store_write(struct history_store *s, const struct history_note *notes,
                         size_t count, msec now, struct error *err) {
    struct batch batch = { notes, count, now };
    return with_file(s, write_batch, &batch, err);
}

/* ---- reading ---- */

struct reading {
    const struct history_query *query;
    yyjson_mut_doc *doc;
    yyjson_mut_val *root;
    size_t bytes; /* of the rows so far */
    bool truncated;
    struct buf *out;
};

/* The rows are JSON and are copied unchanged. */
static int add_rows(struct reading *r, sqlite3_stmt *stmt, yyjson_mut_val *list) {
    int rc;
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        const char *row = (const char *)sqlite3_column_text(stmt, 0);
        if (!row) return SQLITE_NOMEM;
        size_t len = (size_t)sqlite3_column_bytes(stmt, 0);
        r->bytes += len;
        if (r->bytes > r->out->max) return SQLITE_TOOBIG;
        yyjson_mut_arr_append(list, yyjson_mut_rawncpy(r->doc, row, len));
    }
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int add_listing(struct reading *r, sqlite3 *db, const struct listing *listing) {
    const struct history_query *q = r->query;
    int64_t wanted[] = { q->from, q->until, q->limit };
    int64_t after[] = { q->from, -1 };
    sqlite3_stmt *stmt;
    int rc = ask(db, listing->left_out, wanted, 3, after);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) return rc;
    if (rc == SQLITE_ROW) r->truncated = true;
    rc = prepare(db, listing->rows, &stmt);
    if (rc != SQLITE_OK) return rc;
    int64_t params[] = { q->from, q->until, after[0], after[1] };
    for (int i = 0; i < 4; i++) sqlite3_bind_int64(stmt, i + 1, params[i]);
    rc = add_rows(r, stmt, yyjson_mut_obj_add_arr(r->doc, r->root, listing->name));
    sqlite3_finalize(stmt);
    return rc;
}

static int read_range(struct history_store *s, void *arg) {
    struct reading *r = arg;
    int rc = SQLITE_OK;
    buf_reset(r->out);
    r->bytes = 0;
    r->truncated = false;
    r->doc = json_object_new(&r->root);
    yyjson_mut_obj_add_int(r->doc, r->root, "from", r->query->from);
    yyjson_mut_obj_add_int(r->doc, r->root, "until", r->query->until);
    for (size_t i = 0; rc == SQLITE_OK && i < sizeof listings / sizeof listings[0]; i++) {
        rc = add_listing(r, s->db, &listings[i]);
    }
    yyjson_mut_obj_add_bool(r->doc, r->root, "truncated", r->truncated);
    if (rc == SQLITE_OK && !json_write(r->doc, r->out)) rc = SQLITE_TOOBIG;
    yyjson_mut_doc_free(r->doc);
    return rc;
}

bool history_store_read(struct history_store *s, const struct history_query *query,
                        struct buf *out, struct error *err) {
    struct reading reading = { .query = query, .out = out };
    return with_file(s, read_range, &reading, err);
}

/* ---- life ---- */

struct history_store *history_store_new(const char *path, const struct history_limits *limits) {
    struct history_store *s = xcalloc(1, sizeof *s);
    s->path = xstrdup(path);
    s->limits = *limits;
    return s;
}

void history_store_free(struct history_store *s) {
    if (!s) return;
    history_store_rest(s);
    free(s->path);
    free(s);
}

bool history_store_take_damage(struct history_store *s) {
    bool damaged = s->damaged;
    s->damaged = false;
    return damaged;
}
