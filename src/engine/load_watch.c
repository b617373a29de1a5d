/* SPDX-License-Identifier: MIT */
#include "engine/load_watch.h"

#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ipc/frame.h"
#include "ipc/message.h"

/* Is the next frame STOP? What else the daemon may say has to wait for the load's end. */
static bool next_is_stop(int fd, bool *ret_other) {
    char header[FRAME_HEADER_SIZE];
    ssize_t n = recv(fd, header, sizeof header, MSG_PEEK | MSG_DONTWAIT);
    if (n == 0) _exit(0); /* the daemon is gone */
    if (n < (ssize_t)sizeof header) return false;
    uint16_t type = (uint16_t)((unsigned char)header[4] | (unsigned char)header[5] << 8);
    *ret_other = type != MSG_STOP;
    return type == MSG_STOP;
}

static void *watch_socket(void *arg) {
    struct load_watch *watch = arg;
    struct pollfd fds[2] = { { .fd = watch->fd, .events = POLLIN },
                             { .fd = watch->wake_fd, .events = POLLIN } };
    for (;;) {
        if (poll(fds, 2, -1) < 0) continue;
        if (fds[1].revents) return NULL;
        bool other = false;
        if (next_is_stop(watch->fd, &other)) _exit(0);
        /* An early request lies in front: what comes behind it cannot be seen any more, so that
         * only the end of the connection is left to watch for. */
        if (other) fds[0].events = POLLRDHUP;
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
