/* SPDX-License-Identifier: MIT */
/*
 * history.h - the history's writer: collects notes, has them written in batches on a pool
 * thread, and answers queries.
 *
 * One job at a time uses the file: write what waits, then one reading. So a reading includes
 * everything that happened before it was requested. A batch is written 2 s after its first
 * note; 10 s after the last one the file is closed, and no timer runs until the next note.
 * If the disk is slower than the notes, those past 4096 are dropped; a failing disk is one
 * warning. Loop's thread only.
 */
#ifndef DOZE_DAEMON_HISTORY_H
#define DOZE_DAEMON_HISTORY_H

#include <uv.h>

#include "daemon/history_store.h"

struct history;
struct history_reading;

struct history_sink {
    /* Once, from the loop; json is NULL if error says why. Both borrowed, but the bytes may be
     * taken out of json. */
    void (*on_end)(void *ctx, struct buf *json, const struct error *error);
    void *ctx;
};

/* Touches no file. */
struct history *history_new(uv_loop_t *loop, const char *path);
/* Write the rest and end; the loop runs until that is done. Sinks are no longer called. */
void history_close(struct history *h);
/* After the loop has ended. */
void history_free(struct history *h);

/* Copies the JSON. */
void history_add(struct history *h, enum history_kind kind, const char *json);

/* NULL, and the sink is not called, if 32 already wait. */
struct history_reading *history_read(struct history *h, const struct history_query *query,
                                     struct history_sink sink);
/* Do not call its sink. Must not be used after the sink was called. */
void history_forget(struct history_reading *reading);

#endif
