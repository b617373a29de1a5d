/* SPDX-License-Identifier: MIT */
/*
 * listener.h - a listening TCP socket that hands out accepted descriptors.
 *
 * Accepts itself instead of by uv_listen: out of descriptors, libuv would accept and drop
 * clients; this one pauses, and they wait in the kernel's queue.
 */
#ifndef DOZE_HTTP_LISTENER_H
#define DOZE_HTTP_LISTENER_H

#include <stdbool.h>
#include <uv.h>

#include "base/error.h"
#include "base/msec.h"

struct listener {
    uv_poll_t poll;
    uv_timer_t timer; /* runs while accepting pauses */
    int fd;
    int open_handles;
    msec pause;
    void (*on_accept)(void *ctx, int fd); /* takes fd: non-blocking, close-on-exec */
    void (*on_closed)(void *ctx);
    void *ctx;
};

/* Listen on host (a name or an address; looked up here, blocking) and port (0: any). on_accept
 * and ctx are set beforehand. Fails with ERR_IO and a sentence that says what to do; then
 * nothing is open. */
bool listener_open(struct listener *l, uv_loop_t *loop, const char *host, int port,
                   struct error *err) __attribute__((warn_unused_result));

/* The port listened on. */
int listener_port(const struct listener *l);

/* on_closed follows when the last handle is gone. */
void listener_close(struct listener *l);

#endif
