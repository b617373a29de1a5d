/* SPDX-License-Identifier: MIT */
/*
 * own_keys.h - what this node publishes, and which of it etcd does not have yet.
 *
 * Pure. A key is written again when its value changes or when the lease that it was written
 * under is no longer the node's.
 */
#ifndef DOZE_FLEET_OWN_KEYS_H
#define DOZE_FLEET_OWN_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/msec.h"

struct own_key {
    char *key;
    char *value;            /* NULL: to be removed */
    uint64_t version;       /* of the value */
    uint64_t sent, written; /* versions; written counts under the lease only */
    int64_t lease;          /* it was written under; 0: etcd does not have it */
    msec next;              /* not written before */
};

/* Zeroed: none. */
struct own_keys {
    struct own_key *list;
    size_t count;
    uint64_t version; /* the last that was given */
};

void own_keys_clear(struct own_keys *keys);

/* True if that changes anything. value NULL: the key is to go. */
bool own_keys_set(struct own_keys *keys, const char *key, const char *value);

/* etcd has a key that is none of them: it is to go. */
void own_keys_withdraw(struct own_keys *keys, const char *key);

struct own_key *own_keys_find(const struct own_keys *keys, const char *key);

/* Of the keys that are to be written under the lease, the one that may be first; NULL: none. */
struct own_key *own_keys_first(const struct own_keys *keys, int64_t lease);

/* The value of that version is in etcd (or gone from there, which ends the key). */
void own_keys_written(struct own_keys *keys, const char *key, uint64_t version, int64_t lease);

/* etcd has none of them; those that were to go are gone. */
void own_keys_forget(struct own_keys *keys);

#endif
