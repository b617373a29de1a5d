/* SPDX-License-Identifier: MIT */
#include "engine/process_rights.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Between 0 and 1000. The daemon has 0. */
#define OOM_SCORE "500"

static void prefer_for_oom(void) {
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0) return;
    (void)!write(fd, OOM_SCORE, strlen(OOM_SCORE));
    close(fd);
}

void process_rights_start(void) {
    struct rlimit none = { 0, 0 };
    (void)dup2(STDERR_FILENO, STDOUT_FILENO);
    (void)setrlimit(RLIMIT_CORE, &none);
    prefer_for_oom();
}

void process_rights_limit_files(uint64_t bytes) {
    struct rlimit old, limit = { bytes, bytes };
    if (getrlimit(RLIMIT_FSIZE, &old) != 0 || old.rlim_cur <= bytes) return;
    signal(SIGXFSZ, SIG_IGN); /* then the write says EFBIG */
    (void)setrlimit(RLIMIT_FSIZE, &limit);
}

/* glibc has no function for it. */
static bool set_capabilities(uint32_t effective, uint32_t permitted) {
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct sets[2] = { { .effective = effective,
                                                .permitted = permitted } };
    return syscall(SYS_capset, &header, sets) == 0;
}

static bool may(const char *path, int mode) {
    return !path || faccessat(AT_FDCWD, path, mode, AT_EACCESS) == 0;
}

static bool may_all(const struct sandbox_rights *rights) {
    for (int64_t i = 0; rights->adapters && i < rights->adapters->count; i++) {
        if (!may(rights->adapters->list[i].path, R_OK)) return false;
    }
    return may(rights->model, R_OK) && may(rights->projector, R_OK) &&
           may(rights->prompts, W_OK | X_OK);
}

void process_rights_drop_capabilities(const struct sandbox_rights *rights) {
    const uint32_t files = 1U << CAP_DAC_OVERRIDE | 1U << CAP_DAC_READ_SEARCH;
    if (geteuid() != 0 || !set_capabilities(0, files)) return;
    uint32_t kept = may_all(rights) ? 0 : files;
    (void)set_capabilities(kept, kept);
}
