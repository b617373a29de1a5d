/* SPDX-License-Identifier: MIT */
/*
 * listeners.h - the ports of the daemon's HTTP server: the one it was started with, one where
 * LM Studio's programs look for a server, and those that `lms server start` asks for. Any of
 * them may be closed while the others go on.
 */
#ifndef DOZE_DAEMON_LISTENERS_H
#define DOZE_DAEMON_LISTENERS_H

#include <stdbool.h>

#include "http/server.h"

struct listeners;

/* Answer on this host and port first. Borrows the server for its life; NULL with ERR_IO if it
 * cannot listen. */
struct listeners *listeners_new(struct http_server *server, const char *host, int port,
                                struct error *err);
/* Closes no port; accepts NULL. */
void listeners_free(struct listeners *l);

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
 * again on the first one. A port that is open moves to the host only if so far this machine
 * alone could reach it and now others are to; its connections go on. ERR_IO, or ERR_QUEUE_FULL:
 * too many. */
bool listeners_start(struct listeners *l, int port, const char *host, struct error *err)
    __attribute__((warn_unused_result));
/* Close all but LM Studio's. ERR_NOT_SUPPORTED if that one is not open: nothing could reach the
 * daemon then. */
bool listeners_stop(struct listeners *l, struct error *err) __attribute__((warn_unused_result));
/* Close all, for the end. */
void listeners_close(struct listeners *l);

#endif
