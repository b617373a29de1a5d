/* SPDX-License-Identifier: MIT */
/*
 * sse.h - reads server-sent events (WHATWG HTML, section "Server-sent events") from pieces of
 * any size. Pure. The fields `id` and `retry` are skipped.
 */
#ifndef DOZE_CLI_SSE_H
#define DOZE_CLI_SSE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

enum { SSE_MAX_EVENT = 8 << 20 }; /* bytes of one line, and of one event's data */

enum sse_kind {
    SSE_EVENT,
    SSE_COMMENT, /* a line ": text" */
};

/* Borrowed for the call. */
struct sse_event {
    enum sse_kind kind;
    const char *name; /* "message" if the server named none; "" for a comment */
    const char *text; /* the data, or the comment without its leading space */
    size_t len;
};

struct sse {
    struct buf line, data;
    char name[64];
    bool has_data, after_cr;
    void (*on_event)(void *ctx, const struct sse_event *ev);
    void *ctx;
};

void sse_init(struct sse *s, void (*on_event)(void *ctx, const struct sse_event *ev),
              void *ctx);
void sse_clear(struct sse *s);

/* Read the next bytes and call on_event for each event that they complete. False: an event is
 * larger than SSE_MAX_EVENT; call it no more then. */
bool sse_feed(struct sse *s, const char *bytes, size_t len);

#endif
