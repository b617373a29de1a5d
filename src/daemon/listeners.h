/* SPDX-License-Identifier: MIT */
/*
 * listeners.h - the ports of the daemon's HTTP server: the one it was started with, those
 * where LM Studio's and Ollama's programs look for a server, and those that `lms server start`
 * asks for.
 * Each may be closed while the others stay open.
 */
#ifndef DOZE_DAEMON_LISTENERS_H
#define DOZE_DAEMON_LISTENERS_H

#include <stdbool.h>

#include "http/server.h"

struct listeners;

/* Is it an address that only programs of this machine can reach? Decided by its name, without
 * a look-up. */
bool listeners_is_loopback(const char *host);

/* Open the first port. Borrows the server for its life. loopback_only: listen on 127.0.0.1
 * instead of a host that other machines can reach. NULL with ERR_IO if it cannot listen. */
struct listeners *listeners_new(struct http_server *server, const char *host, int port,
                                bool loopback_only, struct error *err);
/* The same with sockets that listen already, 1 to LISTENERS_PASSED_MAX; the first one is the
 * first port. They stay open, so that a port which was closed can be opened again. */
enum { LISTENERS_PASSED_MAX = 5 };
struct listeners *listeners_adopt(struct http_server *server, const int *sockets, size_t count,
                                  bool loopback_only, struct error *err);
/* Closes no port; accepts NULL. */
void listeners_free(struct listeners *l);

/* The first port, also while it is closed. */
int listeners_first_port(const struct listeners *l);
/* LM Studio's port; 0: none. */
int listeners_sdk_port(const struct listeners *l);
/* The address that clients are given for the HTTP server: what was asked for last, at the start
 * the first port; also while it is closed. The host is borrowed until the next call. */
int listeners_named_port(const struct listeners *l, const char **ret_host);

/* An address listened on that other machines can reach; NULL: none. Borrowed until the next
 * call. */
const char *listeners_exposed_host(const struct listeners *l);

/* Open or close LM Studio's port: the first free one of its list, on the loopback address and
 * without TLS, which its clients do not try. No error if none is free. */
void listeners_want_sdk(struct listeners *l, bool wanted);

/* Open the port where Ollama's clients look, on the first port's host; 0: close it. A taken
 * port is a warning in the log. */
void listeners_want_ollama(struct listeners *l, int port);

/* Also answer on this port (0: the first one) of this host (NULL: the first one's), and on the
 * first one if it was closed. A port that is open moves to the host only from a loopback
 * address to one that other machines can reach; its connections stay open. Fails with ERR_IO,
 * ERR_QUEUE_FULL for too many ports, or ERR_FORBIDDEN for a host that loopback_only excludes.
 */
bool listeners_start(struct listeners *l, int port, const char *host, struct error *err)
    __attribute__((warn_unused_result));
/* Close all but LM Studio's. ERR_NOT_SUPPORTED if that one is not open: no client could reach
 * the daemon then. */
bool listeners_stop(struct listeners *l, struct error *err) __attribute__((warn_unused_result));
/* Close all, at shutdown. */
void listeners_close(struct listeners *l);

#endif
