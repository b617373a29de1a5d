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

/* The source reads from *fd, which the caller closes. */
static bool open_source(const char *path, int *fd, struct gguf_source *ret_source,
                        struct error *err) {
    struct stat st;
    *fd = open(path,
               O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* do not wait for the writer of a FIFO */
    if (*fd < 0 || fstat(*fd, &st) != 0) {
        error_set(err, ERR_IO, "The file cannot be opened: %s.", strerrordesc_np(errno));
    } else if (!S_ISREG(st.st_mode)) {
        error_set(err, ERR_IO, "It is not a regular file.");
    } else {
        *ret_source = (struct gguf_source){ read_fd, fd, (uint64_t)st.st_size };
        return true;
    }
    if (*fd >= 0) (void)close(*fd); /* nothing was written */
    return false;
}

bool gguf_file_visit(const char *path, const struct gguf_visitor *visitor,
                     struct gguf_meta *ret_meta, struct error *err) {
    int fd;
    struct gguf_source source;
    *ret_meta = (struct gguf_meta){ .file_type = -1, .pooling_type = -1, .main_type = "" };
    if (!open_source(path, &fd, &source, err)) return false;
    bool ok = gguf_meta_visit(&source, visitor, ret_meta, err);
    (void)close(fd); /* nothing was written */
    return ok;
}

/* A model that cannot be opened says so when it is loaded. */
static bool fits(const struct adapter_facts *facts, const char *model_path, struct error *err) {
    int fd;
    struct gguf_source source;
    struct error unreadable;
    if (!open_source(model_path, &fd, &source, &unreadable)) return true;
    bool ok = adapter_facts_fit(facts, &source, err);
    (void)close(fd); /* nothing was written */
    return ok;
}

bool gguf_file_read_adapter(const char *path, const char *model_path, const char *architecture,
                            struct adapter_facts *ret_facts, struct error *err) {
    int fd;
    struct gguf_source source;
    *ret_facts = (struct adapter_facts){ 0 };
    if (!open_source(path, &fd, &source, err)) return false;
    bool ok = adapter_facts_read(&source, ret_facts, err);
    (void)close(fd); /* nothing was written */
    if (!ok || strcmp(ret_facts->architecture, architecture) != 0) return ok;
    return fits(ret_facts, model_path, err);
}
