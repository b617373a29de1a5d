/* SPDX-License-Identifier: MIT */
/* response.h - writes the head of an answer. Pure. */
#ifndef DOZE_HTTP_RESPONSE_H
#define DOZE_HTTP_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum response_framing {
    RESPONSE_LENGTH,  /* Content-Length */
    RESPONSE_CHUNKED, /* chunks; the client is HTTP/1.1 */
    RESPONSE_TO_END,  /* until the connection closes */
    RESPONSE_NO_BODY, /* 101, 204 */
};

struct response_head {
    int status;
    const char *content_type; /* NULL: none */
    enum response_framing framing;
    size_t length;           /* of RESPONSE_LENGTH */
    bool keep_alive;         /* does the connection stay? */
    bool http10;             /* is the client HTTP/1.0? */
    int64_t unix_seconds;    /* for Date */
    const struct buf *extra; /* lines with their CRLF */
};

/* Is it a type of streams? Their heads have Cache-Control and X-Accel-Buffering. */
bool response_is_events(const char *content_type);

void response_format_head(const struct response_head *r, struct buf *out);

#endif
