/* SPDX-License-Identifier: MIT */
#include "base/file_prefetch.h"

#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/split_files.h"

enum { WINDOW = 4 << 20, SAMPLE = 128 << 10 };

struct prefetch {
    uint64_t total, seen, read; /* bytes */
    file_prefetch_fn progress;
    void *ctx;
    char *scratch;
    bool stopped;
};

static uint64_t file_size(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
}

/* Is the window in memory? One page of every SAMPLE bytes is looked at: looking at each takes a
 * tenth of the load (50 ms for 0.5 GB), and a page that is missed is only a page fault. */
static bool resident(char *window, size_t len) {
    unsigned char state;
    for (size_t at = 0; at < len; at += SAMPLE) {
        if (mincore(window + at, 1, &state) == 0 && !(state & 1)) return false;
    }
    return true;
}

static void prefetch_file(struct prefetch *w, const char *path, uint64_t size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *map = fd < 0 ? MAP_FAILED : mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    w->stopped = map == MAP_FAILED;
    for (uint64_t at = 0; map != MAP_FAILED && at < size && !w->stopped; at += WINDOW) {
        size_t len = size - at < WINDOW ? (size_t)(size - at) : WINDOW;
        w->seen += len;
        if (resident(map + at, len)) continue;
        ssize_t n = pread(fd, w->scratch, len, (off_t)at);
        w->stopped = n <= 0 || !w->progress((float)w->seen / (float)w->total, w->ctx);
        if (n > 0) w->read += (uint64_t)n;
    }
    if (map != MAP_FAILED) munmap(map, size);
    if (fd >= 0) close(fd);
}

bool file_prefetch(const char *path, file_prefetch_fn progress, void *ctx, uint64_t *ret_read) {
    struct prefetch w = { .progress = progress, .ctx = ctx };
    char name[PATH_MAX];
    if (ret_read) *ret_read = 0;
    unsigned count = split_files_count(path);
    for (unsigned i = 1; i <= count; i++) {
        split_files_path(path, i, name, sizeof name);
        w.total += file_size(name);
    }
    if (w.total == 0 || w.total > memory_available()) return false;
    /* malloc would keep a block of this size for each thread from then on. */
    // cppcheck-suppress [invalidFunctionArg, memleak]
    w.scratch = mmap(NULL, WINDOW, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (w.scratch == MAP_FAILED) return false; // cppcheck-suppress memleak
    for (unsigned i = 1; i <= count && !w.stopped; i++) {
        split_files_path(path, i, name, sizeof name);
        uint64_t size = file_size(name);
        if (size > 0)
            prefetch_file(&w, name, size);
        else
            w.stopped = true;
    }
    munmap(w.scratch, WINDOW);
    if (ret_read) *ret_read = w.read;
    return !w.stopped;
}
