/* SPDX-License-Identifier: MIT */
/*
 * published.h - what a node publishes of itself, and the list of all nodes made from what each
 * has published. Pure.
 *
 * The same names in etcd and in GET /api/v1/fleet (docs/fleet.md). What others publish may be
 * anything: only fields that are known and of the right type are shown.
 */
#ifndef DOZE_FLEET_PUBLISHED_H
#define DOZE_FLEET_PUBLISHED_H

#include <stdint.h>

#include "api/service.h"
#include "base/buf.h"
#include "fleet/fleet_table.h"
#include "fleet/held_prompts.h"

struct published_node {
    const char *url, *version;
    uint64_t boot; /* identifies this run of the daemon */
    nbytes memory_free, memory_limit, device_memory;
    nbytes parked;    /* what parked workers hold; the private part of it is free as well */
    nbytes lend_free; /* what others may borrow now */
    nbytes disk_free; /* for files that it may fetch */
    int cores;
    const char *key_fingerprint; /* of the fleet key; NULL: it has none */
    const char *proof;           /* node_proof.h; NULL: likewise */
    const char *auto_evict;      /* the setting, and jit_limit */
    uint32_t jit_limit;
};

enum { PUBLISHED_FILES_MAX = 64 }; /* of one model */

/* One that others may fetch. */
struct published_file {
    const char *sha256, *path; /* "owner/repo/name.gguf" */
    nbytes size;
};

struct published_model {
    const char *key;
    enum model_type type;
    nbytes size;
    const char *sha256;   /* of its file; NULL: not known */
    const char *adapters; /* what tells those apart that its settings name; NULL: none */
    /* All that it consists of, the one that makes the others a model first; 0: others may not
     * fetch it */
    const struct published_file *files;
    size_t file_count;
};

/* Of a model that a node has published. Returns how many; 0: it may not be fetched, as not all
 * is said of all. The texts are borrowed. */
size_t published_read_files(yyjson_val *model, struct published_file ret[PUBLISHED_FILES_MAX]);

struct published_instance {
    const struct instance_view *view;
    double tokens_per_second; /* 0: not measured */
};

/* Append the value of nodes/<node>. */
void published_format_node(const struct published_node *node, struct buf *out);
/* models/<node>: the first ones, if there is no room in `out` for all. */
void published_format_models(const struct published_model *models, size_t count,
                             struct buf *out);
/* resident/<model>/<node>: all instances of one model; parked: a worker is parked with it */
void published_format_instances(const struct published_instance *instances, size_t count,
                                bool parked, struct buf *out);
/* Of that value: is one? */
bool published_is_parked(yyjson_val *value);

/* prefixes/<node>: the ends of the prompts that it has (held_prompts.h), the newest of them if
 * the fleet has many nodes, as each of them reads what all publish. */
void published_format_prefixes(const struct held_prompts *held, size_t nodes, struct buf *out);
enum { PUBLISHED_MANY_NODES = 65, PUBLISHED_PROMPTS_OF_MANY = 512 };
/* Of that value the hashes, newest first, at most HELD_PROMPTS_MAX; returns how many. */
size_t published_read_prefixes(yyjson_val *value, uint64_t ret_heads[HELD_PROMPTS_MAX]);

/* "nodes" of GET /api/v1/fleet: an array of doc, nodes by name. key_fingerprint: the asking
 * node's; NULL: it has no key. */
yyjson_mut_val *published_list(const struct fleet_table *table, const char *key_fingerprint,
                               yyjson_mut_doc *doc);

#endif
