/* SPDX-License-Identifier: MIT */
/* fleet_explain.h - where in the fleet a request for a model would go now, and why. */
#ifndef DOZE_DAEMON_FLEET_EXPLAIN_H
#define DOZE_DAEMON_FLEET_EXPLAIN_H

#include "base/json.h"

struct fleet_node;
struct supervisor;

/* {"node","rule","first_token_seconds","sentence","nodes":[the same of each node that has the
 * model]}; NULL: there is no fleet, or the name is that of an instance here. */
yyjson_mut_val *fleet_explain(const struct fleet_node *node,
                              const struct supervisor *supervisor, const char *name,
                              yyjson_mut_doc *doc);

/* Has another node the model? *ret_err is for a client whose requests stay here: it says where
 * the model is. */
bool fleet_explain_elsewhere(const struct fleet_node *node, const char *name,
                             struct error *ret_err);

#endif
