/* SPDX-License-Identifier: MIT */
/*
 * peer_fetch.h - models that come from other machines (peer_transfer.h), and the requests that
 * wait for them.
 *
 * All requests for a model wait for one transfer. It goes on when they have left: the next
 * request finds its files, or more of them. The loop's thread.
 */
#ifndef DOZE_HUB_PEER_FETCH_H
#define DOZE_HUB_PEER_FETCH_H

#include "hub/hub_task.h"
#include "hub/peer_model.h"

struct peer_fetches;
struct peer_waiter;

/* Once, later. err NULL: the folders for models have been read since it came. */
struct peer_sink {
    void (*on_end)(void *ctx, const struct error *err);
    void *ctx;
};

struct peer_fetches_config {
    struct hub_tasks *tasks; /* borrowed */
    const char *models_dir;  /* copied */
    void (*on_installed)(void *ctx);
    void *ctx;
};

struct peer_fetches *peer_fetches_new(const struct peer_fetches_config *config);
/* When no task is left. */
void peer_fetches_free(struct peer_fetches *fetches);

/* Wait for the model, which is taken, whether it works or not. NULL with *err: it cannot be
 * had. */
struct peer_waiter *peer_fetch(struct peer_fetches *fetches, struct peer_model *model,
                               struct peer_sink sink, struct error *err);
/* Do not call the sink; may be called by it. Accepts NULL. */
void peer_waiter_leave(struct peer_waiter *waiter);

/* The folders for models have been read. */
void peer_fetches_catalog_read(struct peer_fetches *fetches);

#endif
