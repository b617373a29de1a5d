/* SPDX-License-Identifier: MIT */
/*
 * service_manager.h - what systemd, or another program with its protocols, passes to the
 * daemon at the start, and the messages to it.
 *
 * sd_listen_fds(3) and sd_notify(3) document both protocols as stable, for programs without
 * libsystemd. That library would bring seven others and 0.9 MB of resident memory.
 */
#ifndef DOZE_DAEMON_SERVICE_MANAGER_H
#define DOZE_DAEMON_SERVICE_MANAGER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/msec.h"

enum { SERVICE_SOCKETS_MAX = 5 }; /* as LISTENERS_PASSED_MAX */

struct service_manager {
    int fd;        /* where messages are sent; -1: there is no service manager */
    msec watchdog; /* after this much silence the daemon is killed; 0: never */
    int sockets[SERVICE_SOCKETS_MAX]; /* passed to listen on */
    size_t socket_count;
};

/* Read the environment (NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID, LISTEN_FDS, LISTEN_PID)
 * and remove these variables, which are for this process alone. Fails with ERR_INVALID_REQUEST
 * for a value that no service manager sets, or for more than SERVICE_SOCKETS_MAX sockets. */
bool service_manager_open(struct service_manager *ret, struct error *err)
    __attribute__((warn_unused_result));

/* Call it also after a failure. The sockets are not closed: the listeners have them. */
void service_manager_close(struct service_manager *m);

/* Send one or more lines like "READY=1". Never blocks; what cannot be sent is lost. */
void service_manager_tell(const struct service_manager *m, const char *lines);

#endif
