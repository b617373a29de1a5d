/* SPDX-License-Identifier: MIT */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"

static bool fail(struct error *err, const char *what, const char *path) {
    return error_set(err, ERR_IO, "Cannot %s %s: %s.", what, path, strerror(errno));
}

bool file_read(const char *path, struct buf *out, struct error *err) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        return error_set(err, ERR_NOT_FOUND, "There is no %s.", path);
    if (fd < 0) return fail(err, "read", path);
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return error_set(err, ERR_IO, "%s is not a file; move it away.", path);
    }
    char chunk[16384];
    ssize_t n;
    while ((n = read(fd, chunk, sizeof chunk)) > 0) {
        if (!buf_add(out, chunk, (size_t)n)) break;
    }
    int saved = errno;
    close(fd);
    errno = saved;
    if (n < 0) return fail(err, "read", path);
    if (n > 0)
        return error_set(err, ERR_TOO_LARGE, "%s is larger than %zu bytes.", path, out->max);
    return true;
}

static bool write_all(int fd, const char *bytes, size_t len) {
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

static void sync_folder(const char *path) {
    char *copy = xstrdup(path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(copy);
    if (fd < 0) return;
    (void)fsync(fd); /* some file systems cannot; the rename is done anyway */
    close(fd);
}

enum durability { FOR_THE_MOMENT, OVER_A_CRASH };

static bool file_write_whole(const char *path, const char *bytes, size_t len,
                             enum durability durability, struct error *err) {
    char temp[PATH_MAX];
    if (snprintf(temp, sizeof temp, "%s.tmp", path) >= (int)sizeof temp) {
        return error_set(err, ERR_IO, "The path %s is too long.", path);
    }
    int fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return fail(err, "write", temp);
    bool ok = write_all(fd, bytes, len) && (durability != OVER_A_CRASH || fsync(fd) == 0);
    int saved = errno;
    close(fd);
    errno = saved;
    if (!ok || rename(temp, path) < 0) {
        fail(err, "write", path);
        unlink(temp);
        return false;
    }
    if (durability == OVER_A_CRASH) sync_folder(path);
    return true;
}

bool file_replace(const char *path, const char *bytes, size_t len, struct error *err) {
    return file_write_whole(path, bytes, len, OVER_A_CRASH, err);
}

bool file_replace_for_now(const char *path, const char *bytes, size_t len, struct error *err) {
    return file_write_whole(path, bytes, len, FOR_THE_MOMENT, err);
}

bool file_set_aside(const char *path, struct error *err) {
    char aside[PATH_MAX];
    if (snprintf(aside, sizeof aside, "%s.corrupt", path) >= (int)sizeof aside) {
        return error_set(err, ERR_IO, "The path %s is too long.", path);
    }
    return rename(path, aside) == 0 || fail(err, "set aside", path);
}

bool file_is_same(const struct stat *a, const struct stat *b) {
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}
