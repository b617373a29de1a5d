/* SPDX-License-Identifier: MIT */
/*
 * sql_file.h - one SQLite file of the state folder: its beginning, its limits, its end.
 *
 * Blocks on the disk: not for the loop's thread, and for one thread at a time. Opens the file
 * when it is needed; a write in WAL mode with synchronous=NORMAL survives a killed daemon and
 * needs no fsync. A damaged file is moved to "<path>.corrupt" and a new one started.
 */
#ifndef DOZE_DAEMON_SQL_FILE_H
#define DOZE_DAEMON_SQL_FILE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <yyjson.h>

#include "base/error.h"
#include "base/msec.h"

/* What the code says of its file. */
struct sql_kind {
    const char *name;              /* "history", for sentences */
    const char *too_large;         /* a sentence for SQLITE_TOOBIG */
    const char *const *migrations; /* user_version says how many of these a file has seen */
    int version;                   /* how many there are */
};

struct sql_file {
    const struct sql_kind *kind;
    char *path;
    nbytes max_bytes; /* of the file and its write-ahead log together; at least 8 MB */
    sqlite3 *db;      /* NULL: closed */
    int replaced;     /* how often a damaged file was set aside */
    bool damaged;     /* ... since it was asked last */
};

/* Touches no file. Copies path. */
void sql_file_init(struct sql_file *file, const struct sql_kind *kind, const char *path,
                   nbytes max_bytes);
void sql_file_clear(struct sql_file *file);

/* Do the work on the open file; if that is damaged, once more on a new one. work returns
 * SQLITE_OK or why it failed; then the file is closed, which rolls back. Fails with ERR_IO, or
 * ERR_TOO_LARGE for SQLITE_TOOBIG. */
bool sql_file_with(struct sql_file *file, int (*work)(void *ctx, sqlite3 *db), void *ctx,
                   struct error *err);

/* Move the write-ahead log into the file and close it until it is needed again. */
void sql_file_rest(struct sql_file *file);

/* Close the file and remove it. */
void sql_file_remove(struct sql_file *file);

/* Was a damaged file set aside since the last call? */
bool sql_file_take_damage(struct sql_file *file);

/* Might the next batch not fit into the file? */
int sql_is_crowded(sqlite3 *db, bool *ret_crowded);

/* ---- SQLite, a little shorter; all return its codes ---- */

/* Our statements fail to compile only if the tables are not ours: SQLITE_CORRUPT. */
int sql_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret_stmt);
int sql_run(sqlite3 *db, const char *sql);

/* Run a statement with integer parameters; the integers of its first row go to ret_columns.
 * SQLITE_ROW or SQLITE_DONE if that worked. */
int sql_ask(sqlite3 *db, const char *sql, const int64_t *params, int param_count,
            int64_t *ret_columns);

/* The same for one integer that must exist: SQLITE_OK if that worked. */
int sql_ask_one(sqlite3 *db, const char *sql, int64_t *ret_value);

/* Append the first column of all rows, which is JSON and is copied unchanged. Their sizes are
 * added to *bytes; SQLITE_TOOBIG past max. */
int sql_add_rows(sqlite3_stmt *stmt, yyjson_mut_doc *doc, yyjson_mut_val *list, size_t *bytes,
                 size_t max);

#endif
