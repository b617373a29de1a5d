/* SPDX-License-Identifier: MIT */
/*
 * saver.h - replaces one state file on a pool thread, so that a slow disk does not block the
 * loop.
 *
 * One write at a time. Of the texts that come meanwhile only the newest waits, so an older
 * text never replaces a newer one. The loop runs until the last text is written.
 */
#ifndef DOZE_DAEMON_SAVER_H
#define DOZE_DAEMON_SAVER_H

#include <uv.h>

#include "base/buf.h"
#include "base/error.h"

struct saver;

/* on_saved: from the loop, after each write; error NULL: it is on disk (file_replace). Not
 * called for a text that a newer one replaced. May call saver_put. */
struct saver *saver_new(uv_loop_t *loop, const char *path,
                        void (*on_saved)(void *ctx, const struct error *error), void *ctx);
/* Takes the bytes: text is empty afterwards. */
void saver_put(struct saver *saver, struct buf *text);
/* Is a text being written? In on_saved: a newer one than that which on_saved is about. */
bool saver_is_busy(const struct saver *saver);
/* After the loop has ended. Accepts NULL. */
void saver_free(struct saver *saver);

#endif
