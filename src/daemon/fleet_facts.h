/* SPDX-License-Identifier: MIT */
/* fleet_facts.h - what this daemon has, in the words of the fleet (fleet/published.h). */
#ifndef DOZE_DAEMON_FLEET_FACTS_H
#define DOZE_DAEMON_FLEET_FACTS_H

#include "base/msec.h"
#include "daemon/fleet_node.h"

enum { FLEET_FINGERPRINT_SIZE = 17 };

/* Of the fleet key, for comparing; it does not tell the key. */
void fleet_fingerprint(const char *key, char ret[FLEET_FINGERPRINT_SIZE]);

/* The node's name: of the settings, else that of the machine. */
void fleet_facts_name(const struct fleet_node_config *config, char *ret, size_t size);

/* Append the node's own entry. Its free memory is what was published last unless it is another
 * by a 50th of the limit: it changes with every page. */
void fleet_facts_node(const struct fleet_node_config *config, nbytes *memory_free,
                      struct buf *out);

/* Call fn for each model that is loaded, being loaded or parked, with what its entry says.
 * resident: it is not parked only. */
typedef void fleet_facts_fn(void *ctx, const char *model, bool resident, const char *value);
void fleet_facts_instances(const struct fleet_node_config *config, fleet_facts_fn *fn,
                           void *ctx);

#endif
