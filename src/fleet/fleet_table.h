/* SPDX-License-Identifier: MIT */
/*
 * fleet_table.h - what the nodes of the fleet have published: JSON objects by key, sorted.
 *
 * Pure. Keys are those of etcd without the common prefix: "nodes/<node>", "models/<node>",
 * "resident/<model>/<node>", "claim/<model>". The name of a node has no slash, that of a model
 * may.
 */
#ifndef DOZE_FLEET_FLEET_TABLE_H
#define DOZE_FLEET_FLEET_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yyjson.h>

#include "fleet/model_index.h"
#include "fleet/placement.h"

enum { FLEET_ENTRIES_MAX = 65536, FLEET_NODE_SIZE = 64 };

/* What was found out about a value, all but the models when somebody first asked; fleet_view.c
 * does. */
struct fleet_findings {
    struct model_index models;    /* of "models/<node>" */
    bool proof_known, proof_fits; /* of "nodes/<node>", by the fleet key with this hash */
    uint64_t proof_key;
    bool heads_known; /* of "prefixes/<node>": in order */
    uint64_t *heads;
    size_t head_count;
    bool instances_known; /* of "resident/<model>/<node>"; `expires` in Unix ms */
    struct placement_instance *instances;
    size_t instance_count;
};

struct fleet_entry {
    char *key;
    yyjson_doc *doc;                 /* an object */
    struct fleet_findings *findings; /* NULL: none yet. Apart, as entries are moved about */
};

/* Zeroed: empty. */
struct fleet_table {
    struct fleet_entry *list;
    size_t count, cap;
    uint64_t changes; /* how many were made */
};

void fleet_table_clear(struct fleet_table *table);

/* Put the value in; one that is not a JSON object removes the entry, as NULL does. New keys
 * past FLEET_ENTRIES_MAX are left out. */
void fleet_table_put(struct fleet_table *table, const char *key, const char *value);

/* The object of a key; NULL: there is none. Borrowed until it changes. */
yyjson_val *fleet_table_find(const struct fleet_table *table, const char *key);
struct fleet_entry *fleet_table_entry(const struct fleet_table *table, const char *key);
/* Until its value changes. */
struct fleet_findings *fleet_entry_findings(struct fleet_entry *entry);

/* What the node says of a model on its disk; NULL: it has none with this key. Borrowed
 * likewise. */
yyjson_val *fleet_table_find_model(const struct fleet_table *table, const char *node,
                                   const char *key, size_t len);

/* Index of the first key that is not less. */
size_t fleet_table_from(const struct fleet_table *table, const char *key);

/* Is there an entry i, and does its key begin with these words? */
bool fleet_table_begins(const struct fleet_table *table, size_t i, const char *with);

/* How many nodes are in it. */
size_t fleet_table_nodes(const struct fleet_table *table);

/* The node whose entry this is: what follows the last slash; "" for a claim. */
const char *fleet_key_node(const char *key);

/* May a node have this name? 1 to 63 letters, digits, '.', '-' and '_'. */
bool fleet_node_is_name(const char *name);

#endif
