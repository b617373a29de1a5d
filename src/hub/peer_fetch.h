/* SPDX-License-Identifier: MIT */
/*
 * peer_fetch.h - one file of a model from other machines that have it, known by its SHA-256,
 * with the means of a download: it is resumed where it was, also from another machine, and gets
 * its name when it is whole and right.
 *
 * All who want a file wait for one transfer. It goes on when they have left: who asks next
 * finds the file, or more of it. The loop's thread.
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

/* Taken, whether it works or not. */
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

/* Wait for the file. NULL with *err: it cannot be had. */
struct peer_waiter *peer_fetch(struct peer_fetches *fetches, struct peer_file *file,
                               struct peer_sink sink, struct error *err);
/* The sink is no longer called; it may do this itself. Accepts NULL. */
void peer_waiter_leave(struct peer_waiter *waiter);

/* The folders for models have been read. */
void peer_fetches_catalog_read(struct peer_fetches *fetches);

#endif
