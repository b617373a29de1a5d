/* SPDX-License-Identifier: MIT */
#include "daemon/startup.h"

#include <limits.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/dirs.h"
#include "base/log.h"

enum { CONNECTIONS_MAX = 20000, DESCRIPTORS_KEPT = 512 };

void startup_make_model_dirs(const struct serve_options *options) {
    struct error err;
    if (options->default_dirs && !dirs_make(options->model_dirs[0], 0755, &err))
        log_warn("%s", err.text);
    for (size_t i = 0; i < options->model_dir_count && !options->default_dirs; i++) {
        if (access(options->model_dirs[i], F_OK) == 0) continue;
        log_warn("The models folder %s does not exist; its models appear once it is made.",
                 options->model_dirs[i]);
    }
}

size_t startup_raise_descriptors(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return CONNECTIONS_MAX;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) (void)getrlimit(RLIMIT_NOFILE, &limit);
    rlim_t most = limit.rlim_cur;
    rlim_t kept = most / 2 < DESCRIPTORS_KEPT ? most / 2 : DESCRIPTORS_KEPT;
    return most - kept < CONNECTIONS_MAX ? (size_t)(most - kept) : CONNECTIONS_MAX;
}

void startup_keep_heap_small(void) {
    mallopt(M_MMAP_THRESHOLD, 128 << 10);
    mallopt(M_ARENA_MAX, 1);
}
