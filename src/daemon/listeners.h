/* SPDX-License-Identifier: MIT */
/*
 * listeners.h - the ports the daemon answers on, all with the same routes: the one it was
 * started with, one where LM Studio's programs look for a server, and those that `lms server
 * start` asks for. Any of them may be closed while the others go on.
 */
#ifndef DOZE_DAEMON_LISTENERS_H
#define DOZE_DAEMON_LISTENERS_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "http/server.h"

struct listeners;

/* options: host, port and routes of the first one; copied. NULL with ERR_IO if it cannot
 * listen. */
struct listeners *listeners_new(uv_loop_t *loop, const struct http_options *options,
                                struct error *err);

/* The first port, also while it is closed. */
int listeners_first_port(const struct listeners *l);
/* LM Studio's port; 0: none. */
int listeners_sdk_port(const struct listeners *l);
/* Where clients are told that the HTTP server is: what was asked for last, at the start the
 * first port; also while it is closed. The host is borrowed until the next call. */
int listeners_named_port(const struct listeners *l, const char **ret_host);

/* Open or close LM Studio's port: the first free one of its list, on the loopback address. That
 * none is free is no error. */
void listeners_want_sdk(struct listeners *l, bool wanted);

/* Answer on this port, too (0: the first one's); on this host (NULL: the first one's), and
 * again on the first one. A port that is open is closed and opened anew only if this machine
 * alone could reach it and the host is one for others; its connections go on then. ERR_IO, or
 * ERR_QUEUE_FULL: too many. */
bool listeners_start(struct listeners *l, int port, const char *host, struct error *err);
/* Close all but LM Studio's; their connections are closed a moment later. ERR_NOT_SUPPORTED if
 * that one is not open: nothing could reach the daemon any more. */
bool listeners_stop(struct listeners *l, struct error *err);

/* For the end: as the functions of http/server.h with the same names, for all. */
void listeners_drain(struct listeners *l);
size_t listeners_active(const struct listeners *l);
/* Frees when all are closed, and says so. */
void listeners_close(struct listeners *l, void (*on_closed)(void *ctx), void *ctx);

#endif
