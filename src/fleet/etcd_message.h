/* SPDX-License-Identifier: MIT */
/*
 * etcd_message.h - what is asked of etcd and what it answers: the JSON of its v3 gateway.
 *
 * Pure. Keys and values are base64 there and 64-bit numbers are strings; here they are texts
 * and numbers. What etcd answers is foreign: sizes are bounded, and a pair whose key or value
 * cannot be a text of ours is left out.
 */
#ifndef DOZE_FLEET_ETCD_MESSAGE_H
#define DOZE_FLEET_ETCD_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

enum { ETCD_KEY_MAX = 1024, ETCD_VALUE_MAX = 1 << 20 }; /* bytes; etcd takes 1.5 MB */

enum etcd_call {
    ETCD_GRANT,     /* a lease of `ttl` seconds */
    ETCD_KEEPALIVE, /* of `lease` */
    ETCD_REVOKE,    /* `lease` and all its keys */
    ETCD_PUT,       /* `key`, `value` under `lease` */
    ETCD_CREATE,    /* the same, only if there is no such key; else answers the pair */
    ETCD_REMOVE,    /* `key`; if there is a `value`, only while it has that */
    ETCD_RANGE,     /* all pairs whose key begins with `key` */
    ETCD_WATCH,     /* their changes from `revision` on, as lines without end */
};
enum { ETCD_CALLS = ETCD_WATCH + 1 };

struct etcd_request {
    enum etcd_call call;
    int64_t lease, ttl, revision;
    const char *key, *value; /* value: JSON */
};

/* "/v3/lease/grant" */
const char *etcd_path(enum etcd_call call);

/* Append the body; false if it is larger than the buffer may be. */
bool etcd_request_format(const struct etcd_request *request, struct buf *out)
    __attribute__((warn_unused_result));

struct etcd_pair {
    char *key;
    char *value; /* NULL: the key was removed (of a watch) */
};

/* Numbers that etcd did not give are 0. Clear with etcd_answer_clear. */
struct etcd_answer {
    uint64_t cluster; /* which store this is */
    int64_t revision; /* of the store */
    int64_t lease, ttl;
    bool created;  /* CREATE: it did not exist. A watch: it has begun */
    bool canceled; /* a watch: no line follows, though the stream may stay open */
    struct etcd_pair *pairs;
    size_t count;
};

/* Read the answer to a call, or one line of a watch. ERR_NOT_FOUND: the lease is gone. ERR_IO:
 * etcd cannot now, with its words. ERR_INVALID_REQUEST: it refuses what was asked. */
bool etcd_answer_parse(enum etcd_call call, long status, const char *text, size_t len,
                       struct etcd_answer *ret, struct error *err)
    __attribute__((warn_unused_result));
void etcd_answer_clear(struct etcd_answer *answer);

#endif
