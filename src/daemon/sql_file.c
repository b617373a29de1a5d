/* SPDX-License-Identifier: MIT */
#include "daemon/sql_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/xalloc.h"

enum {
    PAGE = 4096,
    LOG_PAGES = 256,           /* the write-ahead log is moved into the file at this size */
    LOG_BYTES = 4 * (1 << 20), /* and is assumed to need at most this much room */
    BUSY_MS = 2000,
};

/* ---- SQLite, a little shorter ---- */

int sql_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret_stmt) {
    int rc = sqlite3_prepare_v2(db, sql, -1, ret_stmt, NULL);
    return rc == SQLITE_ERROR ? SQLITE_CORRUPT : rc;
}

int sql_run(sqlite3 *db, const char *sql) {
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

int sql_ask(sqlite3 *db, const char *sql, const int64_t *params, int param_count,
            int64_t *ret_columns) {
    sqlite3_stmt *stmt;
    int rc = sql_prepare(db, sql, &stmt);
    if (rc != SQLITE_OK) return rc;
    for (int i = 0; i < param_count; i++) sqlite3_bind_int64(stmt, i + 1, params[i]);
    rc = sqlite3_step(stmt);
    for (int i = 0; rc == SQLITE_ROW && i < sqlite3_column_count(stmt); i++) {
        ret_columns[i] = sqlite3_column_int64(stmt, i);
    }
    sqlite3_finalize(stmt);
    return rc;
}

int sql_ask_one(sqlite3 *db, const char *sql, int64_t *ret_value) {
    int rc = sql_ask(db, sql, NULL, 0, ret_value);
    return rc == SQLITE_ROW ? SQLITE_OK : rc == SQLITE_DONE ? SQLITE_CORRUPT : rc;
}

int sql_add_rows(sqlite3_stmt *stmt, yyjson_mut_doc *doc, yyjson_mut_val *list, size_t *bytes,
                 size_t max) {
    int rc;
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        const char *row = (const char *)sqlite3_column_text(stmt, 0);
        if (!row) return SQLITE_NOMEM;
        size_t len = (size_t)sqlite3_column_bytes(stmt, 0);
        *bytes += len;
        if (*bytes > max) return SQLITE_TOOBIG;
        yyjson_mut_arr_append(list, yyjson_mut_rawncpy(doc, row, len));
    }
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* ---- the file ---- */

static int migrate(sqlite3 *db, const struct sql_kind *kind) {
    int64_t version = 0;
    int rc = sql_ask_one(db, "PRAGMA user_version", &version);
    if (rc == SQLITE_OK && version > kind->version) return SQLITE_MISMATCH;
    for (; rc == SQLITE_OK && version < kind->version; version++) {
        char done[64];
        snprintf(done, sizeof done, "PRAGMA user_version = %d; COMMIT", (int)version + 1);
        rc = sql_run(db, "BEGIN IMMEDIATE");
        if (rc == SQLITE_OK) rc = sql_run(db, kind->migrations[version]);
        if (rc == SQLITE_OK) rc = sql_run(db, done);
        if (rc == SQLITE_ERROR) rc = SQLITE_CORRUPT; /* other tables of these names */
    }
    return rc;
}

/* A small cache: there is little to find, and the daemon has to stay small. */
static int set_up(const struct sql_file *s) {
    char sql[256];
    int64_t pages = ((int64_t)s->max_bytes - LOG_BYTES) / PAGE;
    snprintf(sql, sizeof sql,
             "PRAGMA page_size = %d; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
             "PRAGMA cache_size = -256; PRAGMA wal_autocheckpoint = %d;"
             "PRAGMA journal_size_limit = %d; PRAGMA max_page_count = %lld",
             PAGE, LOG_PAGES, LOG_BYTES, (long long)pages);
    return sql_run(s->db, sql);
}

/* Private; the log and its index inherit the file's mode. */
static void make_private(const char *path) {
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0) close(fd); /* if not, SQLite says why */
}

static int open_file(struct sql_file *s) {
    if (s->db) return SQLITE_OK;
    make_private(s->path);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int rc = sqlite3_open_v2(s->path, &s->db, flags, NULL);
    if (rc != SQLITE_OK) return rc;
    sqlite3_busy_timeout(s->db, BUSY_MS);
    rc = set_up(s);
    return rc == SQLITE_OK ? migrate(s->db, s->kind) : rc;
}

void sql_file_rest(struct sql_file *s) {
    sqlite3_close(s->db); /* the last connection to a file moves its log into it */
    s->db = NULL;
}

void sql_file_remove(struct sql_file *s) {
    static const char *const suffixes[] = { "-wal", "-shm", "" };
    sql_file_rest(s);
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        char *path = xasprintf("%s%s", s->path, suffixes[i]);
        unlink(path);
        free(path);
    }
}

/* Log first: left beside a new file, it would be taken for its log. */
static bool set_aside(struct sql_file *s, struct error *err) {
    char *log = xasprintf("%s-wal", s->path), *kept = xasprintf("%s.corrupt-wal", s->path);
    char *index = xasprintf("%s-shm", s->path);
    if (rename(log, kept) < 0) unlink(kept); /* there is none: remove the older one, too */
    unlink(index);
    free(log);
    free(kept);
    free(index);
    if (!file_set_aside(s->path, err)) return false;
    s->replaced++;
    s->damaged = true;
    return true;
}

static void explain(const struct sql_file *s, int rc, struct error *err) {
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
        error_set(err, ERR_TOO_LARGE, "%s", s->kind->too_large);
        return;
    default:
        error_set(err, ERR_IO, "The %s in %s cannot be used: %s.", s->kind->name, s->path,
                  s->db ? sqlite3_errmsg(s->db) : sqlite3_errstr(rc));
    }
}

static bool is_damage(int rc) {
    return (rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB;
}

bool sql_file_with(struct sql_file *s, int (*work)(void *ctx, sqlite3 *db), void *ctx,
                   struct error *err) {
    for (bool again = false;; again = true) {
        int rc = open_file(s);
        if (rc == SQLITE_OK) rc = work(ctx, s->db);
        if (rc == SQLITE_OK) return true;
        explain(s, rc, err);
        sql_file_rest(s);
        if (again || !is_damage(rc) || !set_aside(s, err)) return false;
    }
}

int sql_is_crowded(sqlite3 *db, bool *ret_crowded) {
    int64_t all = 0, unused = 0, most = 0;
    int rc = sql_ask_one(db, "PRAGMA page_count", &all);
    if (rc == SQLITE_OK) rc = sql_ask_one(db, "PRAGMA freelist_count", &unused);
    if (rc == SQLITE_OK) rc = sql_ask_one(db, "PRAGMA max_page_count", &most);
    *ret_crowded = all - unused > most - most / 8;
    return rc;
}

/* ---- life ---- */

void sql_file_init(struct sql_file *s, const struct sql_kind *kind, const char *path,
                   nbytes max_bytes) {
    *s = (struct sql_file){ .kind = kind, .path = xstrdup(path), .max_bytes = max_bytes };
}

void sql_file_clear(struct sql_file *s) {
    sql_file_rest(s);
    free(s->path);
}

bool sql_file_take_damage(struct sql_file *s) {
    bool damaged = s->damaged;
    s->damaged = false;
    return damaged;
}
