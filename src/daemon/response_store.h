/* SPDX-License-Identifier: MIT */
/*
 * response_store.h - the responses that clients can continue, in one SQLite file.
 *
 * Blocks on the disk, as sql_file.h says. A response is kept with its own part of the
 * conversation and the id of the one before; a chain of them is a conversation. Responses that
 * were not used for the limit's age are removed, and the least recently used ones when there
 * are too many bytes. Continuing a response uses its whole chain.
 *
 * A response belongs to the API key that asked for it; other keys do not see it. `owner` is
 * the id of the key that asks, or NULL for a client that may see all.
 */
#ifndef DOZE_DAEMON_RESPONSE_STORE_H
#define DOZE_DAEMON_RESPONSE_STORE_H

#include <stdbool.h>

#include "api/responses/past.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/msec.h"

struct response_store;

struct response_limits {
    msec max_age;
    nbytes max_bytes; /* 0: store nothing, and remove what there is */
};

struct stored_response {
    char *id, *previous;    /* previous NULL: it begins a conversation */
    char *owner;            /* the id of a key, or NULL: none */
    struct buf input, body; /* an array of items; the response, whose "output" has more */
};
void stored_response_clear(struct stored_response *response);

/* Touches no file. Copies path. */
struct response_store *response_store_new(const char *path);
void response_store_free(struct response_store *store);
/* Takes effect with the next call. */
void response_store_limit(struct response_store *store, const struct response_limits *limits);

/* Fails with ERR_TOO_LARGE if it is larger than a sixteenth of the limit, else ERR_IO. */
bool response_store_write(struct response_store *store, const struct stored_response *response,
                          msec now, struct error *err);

/* Append the response as it was answered. ERR_NOT_FOUND: there is none; else ERR_IO. */
bool response_store_read(struct response_store *store, const char *id, const char *owner,
                         struct buf *out, struct error *err);

/* Append an array of all items before the response. Fails as read does. */
bool response_store_read_input(struct response_store *store, const char *id, const char *owner,
                               struct buf *out, struct error *err);

/* Append what past_join takes. Fails with ERR_INVALID_REQUEST, which names what is missing. */
bool response_store_find(struct response_store *store, const struct past_wanted *wanted,
                         const char *owner, msec now, struct buf *out, struct error *err);

/* Remove one response. ERR_NOT_FOUND: there is none; else ERR_IO. */
bool response_store_remove(struct response_store *store, const char *id, const char *owner,
                           struct error *err);

/* As history_store.h. */
void response_store_rest(struct response_store *store);
bool response_store_take_damage(struct response_store *store);

#endif
