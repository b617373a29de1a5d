/* SPDX-License-Identifier: MIT */
/*
 * forward.h - an HTTP request that another node answers, and its answer piece by piece.
 *
 * Knows no models and no clients: who asks, why there, and what becomes of a failure is the
 * caller's business. Loop's thread only.
 */
#ifndef DOZE_FLEET_FORWARD_H
#define DOZE_FLEET_FORWARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/error.h"

enum {
    FORWARD_CONNECT_MS = 1000,
    FORWARD_FIELDS_MAX = 64,
    FORWARD_VALUE_MAX = 1024, /* bytes; longer ones are left out */
};

struct forwarder;
struct forward;

/* One header. */
struct forward_field {
    const char *name, *value;
};

/* Borrowed: the body until it is sent (forward_head) or the end, all else for the call. */
struct forward_request {
    const char *method; /* "POST", "GET", "HEAD", "DELETE"; only POST has a body */
    const char *url;    /* whole */
    const struct forward_field *fields;
    size_t field_count;
    const char *body;
    size_t body_len;
};

/* Of the answer; borrowed for the call. Fields of the connection (its length, its framing) are
 * left out, as are values that no header may have. */
struct forward_head {
    int status;
    int64_t length;           /* bytes of the body; -1: not said */
    const char *content_type; /* NULL: none */
    struct forward_field fields[FORWARD_FIELDS_MAX];
    size_t field_count;
    bool sent; /* all of the request has gone out: the body is no longer needed */
};

/* From the loop. */
struct forward_sink {
    /* Once, before all bytes. */
    void (*on_head)(void *ctx, const struct forward_head *head);
    void (*on_bytes)(void *ctx, const char *bytes, size_t len);
    /* Last; then it must not be touched. error NULL: the answer is complete. ERR_NOT_SUPPORTED:
     * the node's certificate is not trusted, and nothing was sent. */
    void (*on_end)(void *ctx, const struct error *error);
    void *ctx;
};

/* NULL with ERR_IO if libcurl is missing. */
struct forwarder *forwarder_new(uv_loop_t *loop, struct error *err);
/* After the last forward has ended or was cancelled. The loop waits for its handles. Accepts
 * NULL. */
void forwarder_close(struct forwarder *forwarder);

/* Send it. Calls no sink before it returns. */
struct forward *forward_begin(struct forwarder *forwarder,
                              const struct forward_request *request, struct forward_sink sink);

/* Stop reading the answer, and go on; the sink may call it. Some bytes that were read still
 * come. */
void forward_pause(struct forward *forward, bool paused);

/* The answer is not wanted: the connection is closed, which the other node notices. Frees it;
 * not from on_head or on_bytes. Accepts NULL. */
void forward_cancel(struct forward *forward);

#endif
