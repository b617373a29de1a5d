/* SPDX-License-Identifier: MIT */
/*
 * node_proof.h - how nodes show each other that they have the same fleet key, without saying
 * it: HMAC-SHA256 of what is claimed. Pure.
 *
 * A node's entry carries a proof of its name and URL, so that nobody who can only write to etcd
 * gets requests; a request carries one of its sender, receiver and time, so that a copy is
 * worth nothing on another node, for another path, or later.
 */
#ifndef DOZE_FLEET_NODE_PROOF_H
#define DOZE_FLEET_NODE_PROOF_H

#include <stdbool.h>

#include "base/error.h"
#include "base/msec.h"
#include "fleet/fleet_table.h"

enum {
    NODE_PROOF_SIZE = 65,
    NODE_PASS_SIZE = FLEET_NODE_SIZE + 24 + NODE_PROOF_SIZE,
    NODE_PASS_SPAN = 300 * 1000, /* ms by which the clocks of two nodes may differ */
};

/* Of an entry, in hex. */
void node_proof_of_entry(const char *fleet_key, const char *name, const char *url,
                         char ret[NODE_PROOF_SIZE]);
bool node_proof_fits(const char *fleet_key, const char *name, const char *url,
                     const char *proof);

/* What a request is sent with. */
struct node_pass {
    const char *from, *to; /* nodes */
    const char *method, *path;
    msec at; /* Unix ms */
};

/* The value of its header: "<from> <at> <proof>". */
void node_pass_format(const char *fleet_key, const struct node_pass *pass,
                      char ret[NODE_PASS_SIZE]);

/* Is it a proof for what is asked, made with the key? asked: `from` is not read, `at` is now.
 * Fails with ERR_API_KEY and a sentence for the owner of the other node. */
bool node_pass_check(const char *fleet_key, const char *value, const struct node_pass *asked,
                     struct error *err) __attribute__((warn_unused_result));

#endif
