/* SPDX-License-Identifier: MIT */
/* fleet_files.h - the files of a model that other nodes have: which nodes, and the passes with
 * which they are asked (hub/peer_fetch.h fetches them). */
#ifndef DOZE_DAEMON_FLEET_FILES_H
#define DOZE_DAEMON_FLEET_FILES_H

#include "daemon/fleet_node.h"
#include "hub/peer_fetch.h"

struct fleet_view;

/* Of the view's model. *ret is for downloads_from_peers, which takes it. False with *err: no
 * node may be asked for them, and *ret holds nothing. */
bool fleet_files_find(const struct fleet_node *node, const struct fleet_view *view,
                      struct peer_model *ret, struct error *err)
    __attribute__((warn_unused_result));

#endif
