/* SPDX-License-Identifier: MIT */
/*
 * downloads.h - getting models: the daemon's list of downloads, plans for new ones, and search.
 * They go on when the client that asked for them has left, and after a restart of the daemon.
 *
 * All on the loop's thread; what blocks is done by tasks (hub_task.h).
 */
#ifndef DOZE_HUB_DOWNLOADS_H
#define DOZE_HUB_DOWNLOADS_H

#include <uv.h>

#include "catalog/catalog.h"
#include "hub/download.h"
#include "hub/hub_choice.h"
#include "hub/hub_name.h"
#include "hub/peer_fetch.h"

struct downloads;

struct downloads_config {
    uv_loop_t *loop;
    const char *state_dir;  /* downloads/ is made in it when the first one begins */
    const char *models_dir; /* owner/repo/ is made in it */
    /* How many connections a large file gets, 1 to RANGE_CONNECTIONS_MAX: asked when a download
     * begins or is resumed. */
    int (*connections)(void *ctx);
    /* At most twice a second for each, and at its end. */
    void (*on_changed)(void *ctx, const struct download_view *view);
    void (*on_installed)(void *ctx); /* files have come: read the model folders */
    void *ctx;
};

/* Copies the config's strings. Reads the records; downloads that ran are resumed. */
struct downloads *downloads_new(const struct downloads_config *config);
/* Stop. What runs is resumed by the next daemon. Freed, and on_closed called, when the loop
 * has seen the last task end. Accepts NULL, then on_closed is called at once. */
void downloads_close(struct downloads *downloads, void (*on_closed)(void *ctx), void *ctx);

struct download_sink {
    /* Once, later. view: NULL with an error. */
    void (*on_begun)(void *ctx, const struct download_view *view, const struct error *err);
    void *ctx;
};

/* Plan a download and, unless that is all that is wanted, begin it: a new job, or the one that
 * gets the same files. Fails with ERR_DISK_FULL, ERR_QUEUE_FULL and what hub_plan.h says. */
void downloads_begin(struct downloads *downloads, const struct hub_name *name, bool plan_only,
                     struct download_sink sink);

/* The model folders have been read: a download is completed once the catalog has its model. */
void downloads_catalog_read(struct downloads *downloads, const struct catalog *catalog);

/* False: there is none. */
bool downloads_view(struct downloads *downloads, const char *id, struct download_view *ret);
/* Call fn for each, the newest first. */
void downloads_each(struct downloads *downloads,
                    void (*fn)(void *ctx, const struct download_view *view), void *ctx);

/* Keep what is there. False: there is none, or it does not run. */
bool downloads_pause(struct downloads *downloads, const char *id);
/* Go on with one that is paused or failed. */
bool downloads_resume(struct downloads *downloads, const char *id);
/* Forget it. What was fetched of a file that is not complete is deleted. */
bool downloads_remove(struct downloads *downloads, const char *id);

/* peer_fetch, into models_dir. */
struct peer_waiter *downloads_from_peers(struct downloads *downloads, struct peer_model *model,
                                         struct peer_sink sink, struct error *err);

struct search_result {
    char repo[2 * HUB_NAME_PART];
    uint64_t downloads, likes;
    char quantization[16];   /* of what would be got; "" if unknown */
    nbytes size;             /* of that, bytes; 0: the hub did not say in time */
    bool fits;               /* the machine's memory */
    char quantizations[256]; /* all there are, "Q4_K_M, Q8_0" */
};

struct search_sink {
    /* Once, later. Borrowed. */
    void (*on_found)(void *ctx, const struct search_result *results, size_t count,
                     const struct error *err);
    void *ctx;
};

enum { SEARCH_MAX = 25, OPTIONS_MAX = 100 };

struct option_sink {
    /* Once, later. Borrowed. */
    void (*on_listed)(void *ctx, const struct hub_option *options, size_t count,
                      const struct error *err);
    void *ctx;
};

/* What can be got of a repository, "owner/repo"; at most OPTIONS_MAX. */
void downloads_list_options(struct downloads *downloads, const char *repo,
                            struct option_sink sink);

/* words: "" finds the models that are downloaded most. */
void downloads_search(struct downloads *downloads, const char *words, size_t max,
                      struct search_sink sink);

#endif
