/* SPDX-License-Identifier: MIT */
/*
 * peer_transfer.h - gets the files of a model from other machines, one file after the other,
 * with the means of a download: each is resumed where it was, also from another machine.
 *
 * All or nothing: a file that has come whole and right waits as "NAME.peer.part", and all get
 * their names when the last one has come, the first one last. Until then there is no model. A
 * file that has the name already stays: with the same bytes it is the one, with others the
 * transfer fails.
 */
#ifndef DOZE_HUB_PEER_TRANSFER_H
#define DOZE_HUB_PEER_TRANSFER_H

#include "hub/hub_fetch.h"
#include "hub/peer_model.h"

struct peer_transfer {
    const struct peer_model *model; /* checked; borrowed, as the folder */
    const char *models_dir;
    /* Private. */
    struct hub_task *task;
    size_t file;    /* that is coming */
    nbytes reached; /* bytes of it */
    unsigned tries; /* since then */
    size_t turn;    /* of the sources */
};

/* Blocks. *err is set with FETCH_FULL and FETCH_FAILED. */
enum fetch_end peer_transfer_run(struct peer_transfer *transfer, struct hub_task *task,
                                 struct error *err);

/* The machine that was asked last. */
const char *peer_transfer_source(const struct peer_transfer *transfer);

#endif
