/* SPDX-License-Identifier: MIT */
#include "engine/load_watch.h"

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ipc/frame.h"
#include "ipc/message.h"

/* Look at the daemon's next frame. Anything but STOP has to wait until the load is done. */
enum next { NEXT_NOTHING, NEXT_HALF, NEXT_STOP, NEXT_OTHER };

/* How to wait for more, as the socket stays readable while bytes are unread. The rest of a
 * half header is on its way; behind an early request nothing can be seen, so only the end of
 * the connection is watched for. */
static const struct {
    short events;
    int timeout; /* ms */
} waits[] = {
    [NEXT_NOTHING] = { POLLIN, -1 },
    [NEXT_HALF] = { POLLRDHUP, 20 },
    [NEXT_OTHER] = { POLLRDHUP, -1 },
};

static enum next look(int fd) {
    char header[FRAME_HEADER_SIZE];
    ssize_t n = recv(fd, header, sizeof header, MSG_PEEK | MSG_DONTWAIT);
    if (n == 0) _exit(0); /* the daemon is gone */
    if (n < 0) return NEXT_NOTHING;
    if (n < (ssize_t)sizeof header) return NEXT_HALF;
    uint16_t type = (uint16_t)((unsigned char)header[4] | (unsigned char)header[5] << 8);
    return type == MSG_STOP ? NEXT_STOP : NEXT_OTHER;
}

static void *watch_socket(void *arg) {
    const struct load_watch *watch = arg;
    struct pollfd fds[2] = { { .fd = watch->fd }, { .fd = watch->wake_fd, .events = POLLIN } };
    enum next next = NEXT_NOTHING;
    for (;;) {
        fds[0].events = waits[next].events;
        if (poll(fds, 2, waits[next].timeout) < 0) continue;
        if (fds[1].revents) return NULL;
        next = look(watch->fd);
        if (next == NEXT_STOP) _exit(0);
        if (fds[0].revents & (POLLHUP | POLLRDHUP | POLLERR)) _exit(0);
    }
}

void load_watch_start(struct load_watch *watch, int fd) {
    watch->fd = fd;
    watch->wake_fd = eventfd(0, EFD_CLOEXEC);
    watch->running = watch->wake_fd >= 0 &&
                     pthread_create(&watch->thread, NULL, watch_socket, watch) == 0;
}

void load_watch_end(struct load_watch *watch) {
    if (watch->running) {
        uint64_t one = 1;
        if (write(watch->wake_fd, &one, sizeof one) == (ssize_t)sizeof one) {
            pthread_join(watch->thread, NULL);
        }
    }
    if (watch->wake_fd >= 0) close(watch->wake_fd);
    watch->running = false;
}
