/* SPDX-License-Identifier: MIT */
/*
 * listener.h - a listening TCP socket that hands out accepted descriptors.
 *
 * It calls accept itself instead of using uv_listen: without free descriptors, libuv accepts
 * and drops clients; this one pauses, and they wait in the kernel's queue.
 */
#ifndef DOZE_HTTP_LISTENER_H
#define DOZE_HTTP_LISTENER_H

#include <uv.h>

#include "base/error.h"
#include "base/msec.h"

struct listener;

struct listener_owner {
    void (*on_accept)(void *ctx, int fd);   /* takes fd: non-blocking, close-on-exec */
    void (*on_failed)(void *ctx, int code); /* accept failed with this errno; it pauses */
    void (*on_closed)(void *ctx);           /* after listener_close, from the loop */
    void *ctx;
    msec pause; /* before the next try after running out of descriptors */
};

/* Listen on host (a name or an address; looked up here, blocking) and port (0: any). Copies the
 * owner. NULL with ERR_IO and a sentence that says what to do. */
struct listener *listener_open(uv_loop_t *loop, const char *host, int port,
                               const struct listener_owner *owner, struct error *err);

/* The same with a TCP socket that listens already, such as one that systemd passes. The caller
 * keeps fd: without a listener, clients wait in its queue. */
struct listener *listener_adopt(uv_loop_t *loop, int fd, const struct listener_owner *owner,
                                struct error *err);

/* The port listened on. */
int listener_port(const struct listener *l);

enum { LISTENER_HOST_SIZE = 64 };
/* The address listened on, in digits; "" if the kernel does not say. */
void listener_host(const struct listener *l, char ret_host[LISTENER_HOST_SIZE]);

/* The address is free at once; the listener frees itself when its last handle is closed. */
void listener_close(struct listener *l);

#endif
