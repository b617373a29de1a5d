/* SPDX-License-Identifier: MIT */
#include "catalog/gguf_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool read_fd(void *ctx, uint64_t offset, void *bytes, size_t len) {
    int fd = *(const int *)ctx;
    char *to = bytes;
    while (len > 0) {
        ssize_t got = pread(fd, to, len, (off_t)offset);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false; /* 0: the file has become shorter */
        to += got;
        offset += (uint64_t)got;
        len -= (size_t)got;
    }
    return true;
}

bool gguf_file_read(const char *path, struct gguf_meta *ret_meta, struct error *err) {
    return gguf_file_visit(path, NULL, ret_meta, err);
}

bool gguf_file_visit(const char *path, const struct gguf_visitor *visitor,
                     struct gguf_meta *ret_meta, struct error *err) {
    *ret_meta = (struct gguf_meta){ .file_type = -1, .pooling_type = -1, .main_type = "" };
    int fd = open(path,
                  O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* do not wait for the writer of a FIFO */
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0) {
        error_set(err, ERR_IO, "The file cannot be opened: %s.", strerrordesc_np(errno));
        if (fd >= 0) (void)close(fd); /* nothing was written */
        return false;
    }
    bool ok;
    if (!S_ISREG(st.st_mode)) {
        ok = error_set(err, ERR_IO, "It is not a regular file.");
    } else {
        struct gguf_source source = { read_fd, &fd, (uint64_t)st.st_size };
        ok = gguf_meta_visit(&source, visitor, ret_meta, err);
    }
    (void)close(fd); /* nothing was written */
    return ok;
}
