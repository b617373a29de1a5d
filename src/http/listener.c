/* SPDX-License-Identifier: MIT */
#include "http/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/xalloc.h"

enum { BACKLOG = 511, ACCEPT_BURST = 64 };

struct listener {
    struct listener_owner owner;
    uv_poll_t poll;
    uv_timer_t timer; /* runs while accepting pauses */
    int fd;
    int open_handles;
};

static void listener_on_readable(uv_poll_t *poll, int status, int events);

static void listener_on_pause_over(uv_timer_t *timer) {
    struct listener *l = timer->data;
    (void)uv_poll_start(&l->poll, UV_READABLE, listener_on_readable);
}

static void pause_accepting(struct listener *l) {
    (void)uv_poll_stop(&l->poll);
    (void)uv_timer_start(&l->timer, listener_on_pause_over, (uint64_t)l->owner.pause, 0);
}

/* Errors of the connection, not of the listener: accept(2) reports pending network errors. */
static bool is_lost_client(int code) {
    return code == ECONNABORTED || code == EINTR || code == EPROTO || code == ENETDOWN ||
           code == ENOPROTOOPT || code == EHOSTDOWN || code == ENONET || code == EHOSTUNREACH ||
           code == EOPNOTSUPP || code == ENETUNREACH || code == EPERM;
}

/* At most one burst per wake-up, so that a flood of connections does not starve the loop. */
static void listener_on_readable(uv_poll_t *poll, int status, int events) {
    struct listener *l = poll->data;
    (void)events;
    if (status < 0) {
        pause_accepting(l);
        return;
    }
    for (int i = 0; i < ACCEPT_BURST && l->fd >= 0; i++) {
        int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            l->owner.on_accept(l->owner.ctx, fd);
        } else if (errno == EAGAIN) {
            return;
        } else if (!is_lost_client(errno)) {
            l->owner.on_failed(l->owner.ctx, errno); /* EMFILE, ENFILE, ENOBUFS, ENOMEM */
            pause_accepting(l);
            return;
        }
    }
}

static void set_listen_error(struct error *err, const char *host, int port, int code) {
    if (code == EADDRINUSE) {
        error_set(err, ERR_IO,
                  "Port %d is in use; stop the other server or choose another with --port.",
                  port);
    } else if (code == EACCES) {
        error_set(err, ERR_IO,
                  "Port %d is reserved for root; choose one above 1023 with --port.", port);
    } else if (code == EADDRNOTAVAIL) {
        error_set(err, ERR_IO,
                  "%s is not an address of this machine; choose one with --host, such as "
                  "127.0.0.1 or 0.0.0.0 for all.",
                  host);
    } else {
        error_set(err, ERR_IO, "Cannot listen on %s port %d: %s.", host, port, strerror(code));
    }
}

/* A listening socket, or -1 with errno. */
static int open_socket(const struct addrinfo *address) {
    int on = 1, off = 0;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address->ai_family == AF_INET6) {
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off); /* "::" is all */
    }
    if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0) {
        return fd;
    }
    int code = errno;
    close(fd);
    errno = code;
    return -1;
}

/* A socket that listens on the first of the host's addresses that works; -1 with err. */
static int open_any(const char *host, int port, struct error *err) {
    char service[16];
    snprintf(service, sizeof service, "%d", port);
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE };
    struct addrinfo *list = NULL;
    int status = getaddrinfo(host, service, &hints, &list);
    if (status != 0) {
        error_set(err, ERR_IO, "Host \"%s\" is not known (%s); choose another with --host.",
                  host, gai_strerror(status));
        return -1;
    }
    int code = 0, fd = -1;
    for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
        fd = open_socket(a);
        if (fd < 0 && code == 0) code = errno;
    }
    freeaddrinfo(list);
    if (fd < 0) set_listen_error(err, host, port, code);
    return fd;
}

/* Takes fd. */
static struct listener *listen_on(uv_loop_t *loop, int fd, const struct listener_owner *owner,
                                  struct error *err) {
    struct listener *l = xcalloc(1, sizeof *l);
    *l = (struct listener){ .owner = *owner, .fd = fd, .open_handles = 2 };
    int status = uv_poll_init(loop, &l->poll, fd);
    if (status != 0) {
        error_set(err, ERR_IO, "Cannot watch the listening socket: %s.", uv_strerror(status));
        close(fd);
        free(l);
        return NULL;
    }
    (void)uv_timer_init(loop, &l->timer);
    l->poll.data = l->timer.data = l;
    (void)uv_poll_start(&l->poll, UV_READABLE, listener_on_readable);
    return l;
}

struct listener *listener_open(uv_loop_t *loop, const char *host, int port,
                               const struct listener_owner *owner, struct error *err) {
    int fd = open_any(host, port, err);
    return fd < 0 ? NULL : listen_on(loop, fd, owner, err);
}

static int socket_option(int fd, int name) {
    int value = -1;
    socklen_t len = sizeof value;
    return getsockopt(fd, SOL_SOCKET, name, &value, &len) == 0 ? value : -1;
}

struct listener *listener_adopt(uv_loop_t *loop, int fd, const struct listener_owner *owner,
                                struct error *err) {
    int domain = socket_option(fd, SO_DOMAIN);
    bool tcp = (domain == AF_INET || domain == AF_INET6) &&
               socket_option(fd, SO_TYPE) == SOCK_STREAM &&
               socket_option(fd, SO_ACCEPTCONN) == 1;
    if (!tcp) {
        error_set(
            err, ERR_IO,
            "Descriptor %d, which was passed to listen on, is not a listening TCP socket; "
            "use ListenStream= with a port in the socket unit, and no Accept=yes.",
            fd);
        return NULL;
    }
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (own >= 0 && fcntl(own, F_SETFL, O_NONBLOCK) == 0) {
        return listen_on(loop, own, owner, err);
    }
    error_set(err, ERR_IO, "Cannot use the socket that was passed: %s.", strerror(errno));
    if (own >= 0) close(own);
    return NULL;
}

union any_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

void listener_host(const struct listener *l, char ret_host[LISTENER_HOST_SIZE]) {
    union any_address address = { .v6 = { .sin6_port = 0 } };
    socklen_t len = sizeof address;
    if (getsockname(l->fd, &address.any, &len) != 0 ||
        getnameinfo(&address.any, len, ret_host, LISTENER_HOST_SIZE, NULL, 0, NI_NUMERICHOST)) {
        ret_host[0] = '\0';
    }
}

int listener_port(const struct listener *l) {
    union any_address address = { .v6 = { .sin6_port = 0 } };
    socklen_t len = sizeof address;
    if (getsockname(l->fd, &address.any, &len) != 0) return 0;
    return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port
                                                   : address.v4.sin_port);
}

static void listener_on_handle_closed(uv_handle_t *handle) {
    struct listener *l = handle->data;
    if (--l->open_handles > 0) return;
    struct listener_owner owner = l->owner;
    free(l);
    owner.on_closed(owner.ctx);
}

void listener_close(struct listener *l) {
    uv_close((uv_handle_t *)&l->poll, listener_on_handle_closed);
    uv_close((uv_handle_t *)&l->timer, listener_on_handle_closed);
    close(l->fd);
    l->fd = -1;
}
