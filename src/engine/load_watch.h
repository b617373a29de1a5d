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

/* fd: the socket. Only looks at it: what is read stays to be read. */
void load_watch_start(struct load_watch *watch, int fd);

/* Afterwards the socket is the caller's alone. */
void load_watch_end(struct load_watch *watch);

#endif
