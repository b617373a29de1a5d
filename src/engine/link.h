/* SPDX-License-Identifier: MIT */
/*
 * link.h - the worker's end of the socket to the daemon.
 *
 * Never waits, with one exception: a daemon that does not read makes link_send() wait once
 * LINK_MAX_UNSENT bytes are due, so a worker's memory is bounded.
 */
#ifndef DOZE_ENGINE_LINK_H
#define DOZE_ENGINE_LINK_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yyjson.h>

#include "base/buf.h"
#include "ipc/frame.h"
#include "ipc/message.h"

enum { LINK_MAX_UNSENT = 4 << 20 };

struct link {
    int fd;
    int wake_fd; /* link_wait also ends when this is readable; -1: none */
    struct buf in;
    size_t in_used; /* bytes of `in` that link_next has returned */
    struct buf out;
};

/* fd: a connected stream socket; made non-blocking here. */
void link_init(struct link *link, int fd);

/* Read what is there. False at the end of file, on an error, or if the peer breaks the format:
 * the daemon is gone. */
bool link_fill(struct link *link) __attribute__((warn_unused_result));

/* The next whole frame that was read; false if there is none. Borrowed until the next call of
 * link_fill or link_next. */
bool link_next(struct link *link, struct frame *ret);

/* Look at the complete frames that link_next has not returned yet, without taking them; stops
 * when fn returns true, and returns that. */
bool link_peek(const struct link *link, bool (*fn)(void *ctx, const struct frame *frame),
               void *ctx);

/* Send, or keep for later what does not fit into the socket. Errors show in link_fill. */
void link_send(struct link *link, enum message_type type, uint64_t request, const void *payload,
               size_t len);
/* Send a document, which is freed, that belongs to no request. */
void link_send_doc(struct link *link, enum message_type type, yyjson_mut_doc *doc);
/* {"level":"warn","text":…} for the daemon's log. */
void link_send_warning(struct link *link, const char *text, size_t len);

enum { LINK_MAX_OTHERS = 80 };

/* Wait until there is something to read, one of the others is ready, or timeout_ms (-1: for
 * ever) is over. Sends what is due. */
void link_wait(struct link *link, const struct pollfd *others, size_t count, int timeout_ms);

/* Send everything that is due, waiting for the daemon to read; for the last words. */
void link_drain(struct link *link);

#endif
