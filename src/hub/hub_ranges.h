/* SPDX-License-Identifier: MIT */
/*
 * hub_ranges.h - fetches the rest of a large file over several connections at once, and hands
 * it on in order.
 *
 * The file is asked for in pieces. Those that arrive before their turn wait in memory, at most
 * RANGE_PIECES of RANGE_PIECE bytes, so that the file on the disk grows only at its end and one
 * checksum runs over it. One thread for each connection.
 */
#ifndef DOZE_HUB_HUB_RANGES_H
#define DOZE_HUB_HUB_RANGES_H

#include "hub/hub_http.h"

enum { RANGE_PIECE = 4 << 20, RANGE_PIECES = 8, RANGE_CONNECTIONS_MAX = 8 };

struct hub_ranges {
    const struct hub_environment *env;
    const char *url;
    bool token;       /* send it: the URL is the hub's own */
    nbytes from, end; /* of the file: what is wanted is [from, end) */
    int connections;  /* 1 to RANGE_CONNECTIONS_MAX */
    /* The caller's thread. The next bytes; waiting: how many more have come that wait for their
     * turn. False ends it. */
    bool (*on_bytes)(void *ctx, const char *bytes, size_t len, nbytes waiting);
    /* Any thread. True ends it. */
    bool (*is_stopped)(void *ctx);
    void *ctx;
};

/* Blocks until all bytes were handed on, or one answer was not what was asked for. *ret is that
 * answer: 206 if all went well or on_bytes ended it; 200 is a host that knows no ranges; 0,
 * with its reason, a connection that failed or an answer that holds other bytes. */
void hub_ranges_get(const struct hub_ranges *ranges, struct hub_response *ret);

#endif
