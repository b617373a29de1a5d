/* SPDX-License-Identifier: MIT */
/*
 * history_store.h - transitions of instances and samples of memory in one SQLite file.
 *
 * Blocks on the disk, as sql_file.h says. Notes older than the limit's age are removed, and the
 * oldest when the file is full.
 */
#ifndef DOZE_DAEMON_HISTORY_STORE_H
#define DOZE_DAEMON_HISTORY_STORE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/msec.h"
#include "daemon/history_query.h"

struct history_store;

struct history_limits {
    msec max_age;
    nbytes max_bytes; /* of the file and its write-ahead log together; at least 8 MB */
};

enum history_kind {
    HISTORY_EVENT,  /* as GET /api/v1/events sends it */
    HISTORY_MEMORY, /* {"at","total_bytes","available_bytes","instances":[{"id","bytes"}...],
                     * "parked":[{"model","bytes"}...]} */
};
enum { HISTORY_KINDS = HISTORY_MEMORY + 1 };

struct history_note {
    enum history_kind kind;
    char *json;
};

/* Touches no file. Copies path and limits. */
struct history_store *history_store_new(const char *path, const struct history_limits *limits);
void history_store_free(struct history_store *store);

/* Write the notes, all or none, and remove what is too old at `now` (Unix ms). The first use
 * of a store begins a new run: its events get the next "run" number. Fails with ERR_IO (no
 * room, no rights, a file of a newer doze). */
bool history_store_write(struct history_store *store, const struct history_note *notes,
                         size_t count, msec now, struct error *err);

/* Put {"from","until","run","events":[...],"memory":[...],"truncated"} into out, oldest first;
 * run is the store's own. Fails with ERR_TOO_LARGE past the buffer's maximum, else ERR_IO; the
 * buffer's content is then undefined. */
bool history_store_read(struct history_store *store, const struct history_query *query,
                        struct buf *out, struct error *err);

/* Move the write-ahead log into the file and close it until it is needed again. */
void history_store_rest(struct history_store *store);

/* Was a damaged file set aside since the last call? */
bool history_store_take_damage(struct history_store *store);

#endif
