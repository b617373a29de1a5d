/* SPDX-License-Identifier: MIT */
/*
 * peer_fetch.h - fetches one file of a model, known by its SHA-256, from other machines that
 * have it. Like a download it is resumed where it was, also from another machine, and gets its
 * name when it is complete and its checksum is right.
 *
 * All waiters of a file share one transfer. It goes on after they have left, so that the next
 * one finds the file, or more of it. The loop's thread.
 */
#ifndef DOZE_HUB_PEER_FETCH_H
#define DOZE_HUB_PEER_FETCH_H

#include "hub/hub_listing.h"
#include "hub/hub_task.h"

struct peer_fetches;
struct peer_waiter;

struct peer_source {
    char *name; /* of the machine, for people and for `sign` */
    char *url;  /* of the file there */
};

/* A header line that the machine wants to see. Called on the thread of the transfer; the caller
 * frees it. */
struct peer_signer {
    char *(*sign)(void *ctx, const char *name);
    void (*free)(void *ctx);
    void *ctx;
};

/* peer_fetch takes it, also on failure. */
struct peer_file {
    char sha256[HUB_SHA256_SIZE];
    nbytes size;
    char *path; /* "owner/repo/name.gguf", below the folder for models */
    struct peer_source *sources;
    size_t count;
    struct peer_signer signer;
};

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

/* Is the path of a file here one that may be fetched? Three parts, none of them hidden. */
bool peer_path_is_safe(const char *path);

/* Wait for the file. NULL with *err: it cannot be fetched. */
struct peer_waiter *peer_fetch(struct peer_fetches *fetches, struct peer_file *file,
                               struct peer_sink sink, struct error *err);
/* Do not call the sink; may be called by it. Accepts NULL. */
void peer_waiter_leave(struct peer_waiter *waiter);

/* The folders for models have been read. */
void peer_fetches_catalog_read(struct peer_fetches *fetches);

#endif
