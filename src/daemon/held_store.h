/* SPDX-License-Identifier: MIT */
/*
 * held_store.h - which prompts this node of a fleet has processed, kept over a restart in
 * fleet-prompts.json of the state folder: their tokens are in the prompt store, but the hashes
 * by which other nodes know them cannot be made from these.
 *
 * It is written while the node runs, at most every half minute, and at its end.
 */
#ifndef DOZE_DAEMON_HELD_STORE_H
#define DOZE_DAEMON_HELD_STORE_H

#include <stdbool.h>
#include <uv.h>

#include "base/msec.h"
#include "fleet/held_prompts.h"

struct held_store;
struct prompts;

/* prompts: borrowed until the loop has ended. */
struct held_store *held_store_new(uv_loop_t *loop, const char *state_dir,
                                  struct prompts *prompts);
/* After the loop has ended. Accepts NULL. */
void held_store_free(struct held_store *store);

struct held_sink {
    /* Those of models that have entries in the prompt store now; later, and not at all if there
     * are none or the daemon stops. Borrowed. */
    void (*on_read)(void *ctx, const struct held_prompts *held);
    void *ctx;
};

/* Read the file, if it is of this fleet key (a fingerprint). Once. */
void held_store_read(struct held_store *store, const char *secret, struct held_sink sink);

/* Write them, unless the last time was half a minute ago or less and the node goes on. False:
 * not yet. */
bool held_store_save(struct held_store *store, const char *secret,
                     const struct held_prompts *held, msec now, bool last);

#endif
