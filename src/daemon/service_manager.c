/* SPDX-License-Identifier: MIT */
#include "daemon/service_manager.h"

#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { FIRST_SOCKET = 3 }; /* SD_LISTEN_FDS_START */

/* A number above zero in the environment; 0: not set. */
static bool read_number(const char *name, long long *ret, struct error *err) {
    const char *text = getenv(name);
    char *end;
    *ret = 0;
    if (!text) return true;
    *ret = strtoll(text, &end, 10);
    if (end != text && !*end && *ret > 0 && *ret < LLONG_MAX) return true;
    return error_set(err, ERR_INVALID_REQUEST,
                     "%s must be a number above zero, not '%.40s'; unset it, or let systemd "
                     "start the server.",
                     name, text);
}

/* ---- sockets ---- */

/* Not for this process if the environment was inherited from the one that it was made for. */
static bool take_sockets(struct service_manager *m, struct error *err) {
    long long pid, count;
    if (!read_number("LISTEN_PID", &pid, err) || !read_number("LISTEN_FDS", &count, err))
        return false;
    if (pid != getpid()) return true;
    if (count > SERVICE_SOCKETS_MAX) {
        return error_set(err, ERR_INVALID_REQUEST,
                         "systemd passes %lld sockets; the server takes at most %d: remove "
                         "ListenStream= lines from the socket unit.",
                         count, SERVICE_SOCKETS_MAX);
    }
    for (int i = 0; i < (int)count; i++) {
        m->sockets[m->socket_count++] = FIRST_SOCKET + i;
        (void)fcntl(FIRST_SOCKET + i, F_SETFD, FD_CLOEXEC); /* the listener checks it */
    }
    return true;
}

/* ---- news ---- */

static bool take_watchdog(struct service_manager *m, struct error *err) {
    long long pid, usec;
    if (!read_number("WATCHDOG_PID", &pid, err) || !read_number("WATCHDOG_USEC", &usec, err))
        return false;
    if (pid == 0 || pid == getpid()) m->watchdog = usec / 1000;
    return true;
}

/* '@' at the beginning stands for the zero byte of Linux's abstract names. */
static bool open_news(struct service_manager *m, struct error *err) {
    const char *name = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (!name) return true;
    size_t len = strlen(name);
    if ((*name != '/' && *name != '@') || len >= sizeof address.sun_path) {
        return error_set(err, ERR_INVALID_REQUEST,
                         "NOTIFY_SOCKET names no socket: '%.40s'; unset it, or let systemd "
                         "start the server.",
                         name);
    }
    memcpy(address.sun_path, name, len);
    if (*name == '@') address.sun_path[0] = '\0';
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    m->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (m->fd < 0 || connect(m->fd, (struct sockaddr *)&address, size) == 0) return true;
    service_manager_close(m); /* the service manager has gone */
    return true;
}

void service_manager_tell(const struct service_manager *m, const char *lines) {
    if (m->fd >= 0) (void)send(m->fd, lines, strlen(lines), MSG_NOSIGNAL);
}

/* ---- both ---- */

bool service_manager_open(struct service_manager *ret, struct error *err) {
    static const char *const names[] = { "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID",
                                         "LISTEN_FDS",    "LISTEN_PID",    "LISTEN_FDNAMES" };
    *ret = (struct service_manager){ .fd = -1 };
    bool ok = open_news(ret, err) && take_watchdog(ret, err) && take_sockets(ret, err);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) unsetenv(names[i]);
    return ok;
}

void service_manager_close(struct service_manager *m) {
    if (m->fd >= 0) close(m->fd);
    m->fd = -1;
}
