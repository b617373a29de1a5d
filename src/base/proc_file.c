/* SPDX-License-Identifier: MIT */
#include "base/proc_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

bool proc_file_read(const char *path, char *text, size_t size) {
    size_t len = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && len < size - 1) {
        ssize_t n = read(fd, text + len, size - 1 - len);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        len += (size_t)n;
    }
    if (fd >= 0) close(fd);
    text[len] = '\0';
    return len > 0;
}
