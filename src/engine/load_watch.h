/* SPDX-License-Identifier: MIT */
/*
 * load_watch.h - notices STOP and the daemon's death while the main thread loads.
 *
 * A load has long stretches without a callback (vocabulary, key-value cache), so a thread
 * watches the socket meanwhile and ends the process at once: everything it holds goes with it.
 */
#ifndef DOZE_ENGINE_LOAD_WATCH_H
#define DOZE_ENGINE_LOAD_WATCH_H

#include <pthread.h>
#include <stdbool.h>

struct load_watch {
    pthread_t thread;
    int fd, wake_fd;
    bool running;
};

/* fd: the socket. Only peeks: nothing is consumed. */
void load_watch_start(struct load_watch *watch, int fd);

/* Stop watching; then only the caller uses the socket. */
void load_watch_end(struct load_watch *watch);

#endif
