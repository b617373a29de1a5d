/* SPDX-License-Identifier: MIT */
#include "daemon/state_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/xalloc.h"

/* The holder has just locked the file and may not have written its id yet: 0. */
static long holder_of(int fd) {
    char text[24] = "";
    ssize_t len = pread(fd, text, sizeof text - 1, 0);
    return len > 0 ? strtol(text, NULL, 10) : 0;
}

int state_lock(const char *folder, struct error *err) {
    char *path = xasprintf("%s/lock", folder);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (fd >= 0 && errno == EWOULDBLOCK) {
            error_set(err, ERR_IO,
                      "Another doze (process %ld) uses the state folder %s; stop it, or choose "
                      "another folder with --state-dir.",
                      holder_of(fd), folder);
        } else {
            error_set(err, ERR_IO,
                      "%.200s cannot be written: %s; choose another folder with --state-dir.",
                      path, strerror(errno));
        }
        if (fd >= 0) close(fd);
        free(path);
        return -1;
    }
    free(path);
    if (ftruncate(fd, 0) != 0 || dprintf(fd, "%ld\n", (long)getpid()) < 0) {
        /* A full disk: the lock holds, only its holder is not named. */
    }
    return fd;
}
