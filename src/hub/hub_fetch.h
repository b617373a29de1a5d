/* SPDX-License-Identifier: MIT */
/*
 * hub_fetch.h - gets one file of a repository into NAME.part, whole and with the right
 * checksum. Blocks, and tries again for as long as hub_retry.h allows.
 */
#ifndef DOZE_HUB_HUB_FETCH_H
#define DOZE_HUB_HUB_FETCH_H

#include "hub/hub_plan.h"

enum fetch_end {
    FETCH_DONE,    /* NAME.part is whole, right and on the disk */
    FETCH_STOPPED, /* the task was; what is there stays */
    FETCH_FULL,    /* so is the disk */
    FETCH_FAILED,
};

struct fetch {
    const struct hub_environment *env;
    const struct hub_name *name;
    const char *commit;
    const struct hub_file *file;
    const char *path; /* NAME, absolute; its folder exists */
    int connections;  /* at once, for a large file; at least 1 */
    struct hub_task *task;
    /* How many bytes of the file are there; often. */
    void (*on_bytes)(void *ctx, nbytes done);
    /* A try failed, for this reason, and another follows after a pause. */
    void (*on_retry)(void *ctx, const struct error *err);
    /* Does somebody wait for it? Then it is tried without end. */
    bool (*is_watched)(void *ctx);
    /* Another place than the hub has the file: where the next try gets it, and a header line
     * for the request (or NULL); the caller's to free. False: nowhere now. NULL: the hub
     * has it. */
    bool (*next_source)(void *ctx, char **ret_url, char **ret_header);
    void *ctx;
};

/* *err is set with FETCH_FULL and FETCH_FAILED. */
enum fetch_end hub_fetch(const struct fetch *fetch, struct error *err);

#endif
