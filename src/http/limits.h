/* SPDX-License-Identifier: MIT */
/*
 * limits.h - every maximum and deadline of the HTTP server, by name.
 *
 * llhttp has no limits of its own. Deadlines are absolute per phase, so that a client which
 * drips bytes gains nothing; a request that waits or streams has none unless unsent bytes stand
 * still.
 */
#ifndef DOZE_HTTP_LIMITS_H
#define DOZE_HTTP_LIMITS_H

#include <stddef.h>

#include "base/byte_budget.h"
#include "base/msec.h"

struct http_limits {
    /* bytes of a request; past them: */
    size_t request_line;     /* method, target and version without CRLF: 414 */
    size_t header_bytes;     /* names and values, 4 more per field for ": " and CRLF: 431 */
    size_t header_fields;    /* 431 */
    size_t chunk_extensions; /* of a whole body: 413 */
    size_t trailer_bytes;    /* counted like headers: 431 */
    size_t ignored_body;     /* read and dropped for a route without a body: 413 */
    size_t inflated_free;    /* of a compressed body, however short it is, and ... */
    size_t inflated_times;   /* ... times what has come of it: 413 */
    size_t bodies_total;     /* held for all clients together, messages too: 429, 1013 */
    size_t bodies_reserve;   /* more than bodies_total, for small bodies only */
    size_t small_body;       /* the most that counts as small */
    size_t connections; /* open at a time: the one that is idle longest is closed; 0: any */
    size_t pipelined;   /* of the next requests, kept while one runs: reading stops */

    /* bytes of answers */
    size_t queue_pause;  /* unsent of one stream: on_pressure(true); half of it: false */
    size_t queue_max;    /* unsent of one stream: the client is too slow, closed */
    size_t queues_total; /* unsent of all: the one that passes it is closed */

    /* deadlines */
    msec handshake;    /* of TLS, from the beginning of the connection: closed */
    msec headers;      /* from the first byte of a request to the end of its head: 408 */
    msec body;         /* from the end of the head to the end of the body, ... */
    size_t body_rate;  /* ... plus one second for each body_rate bytes that come; from now never
                          later than `body`: 408 */
    msec body_slack;   /* one that is behind by this much gives way to others: 408 */
    msec keep_alive;   /* silence between requests: closed */
    msec write_stall;  /* bytes are queued and the client takes none: closed */
    msec linger;       /* after the last answer, for the client to read it and close */
    msec ping;         /* between pings of a WebSocket; three unanswered: closed */
    msec accept_pause; /* before the next try after running out of descriptors */
};

extern const struct http_limits http_limits_default;

/* By bodies_total, bodies_reserve and small_body; nothing is held of it. */
struct byte_budget http_limits_budget(const struct http_limits *limits);

#endif
