/* SPDX-License-Identifier: MIT */
/*
 * request.h - reads one HTTP/1.x request out of a byte stream. Pure. llhttp in strict mode,
 * plus what it leaves to its user: all limits, and two rules of RFC 9112, one Host and no
 * Transfer-Encoding but `chunked`.
 *
 *   HEAD --REQUEST_HEAD--> BODY --REQUEST_DONE--> DONE        any --REQUEST_BAD--> BAD
 *
 * Feed bytes until a step other than REQUEST_MORE comes. After REQUEST_HEAD the head's fields
 * are valid and do not move. The caller decides about the body with request_allow_body or
 * request_ignore_body and continues to feed, with no bytes if there are none: a request without
 * a body is complete only after that call.
 */
#ifndef DOZE_HTTP_REQUEST_H
#define DOZE_HTTP_REQUEST_H

#include <llhttp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "http/inflater.h"
#include "http/limits.h"
#include "http/target.h"

enum request_phase { REQUEST_IN_HEAD, REQUEST_IN_BODY, REQUEST_COMPLETE, REQUEST_BROKEN };

enum request_step {
    REQUEST_MORE, /* all bytes used, more needed */
    REQUEST_HEAD, /* the head is complete: decide, feed on */
    REQUEST_DONE, /* complete; the bytes left belong to the next one */
    REQUEST_BAD,  /* status and err say why; the stream cannot be read any further */
};

struct request_field {
    uint32_t name; /* offsets in text */
    uint32_t value;
};

struct request {
    llhttp_t parser;
    const struct http_limits *limits;
    enum request_phase phase;
    struct buf text; /* the target, then names and values, each NUL-terminated */
    struct request_field *fields;
    size_t field_count;
    size_t field_room;
    size_t head_bytes;      /* raw, of the head so far */
    size_t field_bytes;     /* as limits->header_bytes counts */
    size_t trailer_bytes;   /* likewise */
    size_t extension_bytes; /* of chunks */
    size_t body_max;        /* bytes of the body wanted, as sent and as stored; more: 413 */
    bool body_stored;

    /* the head */
    struct target target;
    const char *method;
    bool http10;
    bool keep_alive; /* as the client wants it */
    bool has_body;
    bool chunked;
    uint64_t content_length; /* 0 without one */

    struct buf body;           /* if stored; without its Content-Encoding */
    struct inflater *inflater; /* NULL: it has none */
    size_t body_received;      /* bytes, stored or not, without framing */
    int status;                /* REQUEST_BAD: what to answer */
    struct error err;
};

/* Borrows limits for its life. Must not be moved afterwards. */
void http_request_init(struct request *r, const struct http_limits *limits);
void http_request_clear(struct request *r);

enum request_step request_feed(struct request *r, const char *bytes, size_t len,
                               size_t *ret_used);

/* After REQUEST_HEAD: store a body of up to max bytes. False, with status and err, if it is
 * announced longer (413) or has a Content-Encoding that is not known (415). */
bool request_allow_body(struct request *r, size_t max) __attribute__((warn_unused_result));
/* After REQUEST_HEAD: skip a body of up to max bytes. Fails like request_allow_body. */
bool request_ignore_body(struct request *r, size_t max) __attribute__((warn_unused_result));

/* Value of the first header of that name, in any case; NULL if absent. */
const char *request_header(const struct request *r, const char *name);

#endif
