/* SPDX-License-Identifier: MIT */
#include "engine/sandbox_files.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cgroup.h"
#include "base/split_files.h"

#ifndef LANDLOCK_ACCESS_FS_TRUNCATE /* kernel headers before 6.2 */
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif

enum { TRUNCATE_ABI = 3 };

#define READ_FILE ((uint64_t)LANDLOCK_ACCESS_FS_READ_FILE)
#define READ_FOLDER (READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITE_FOLDER                                                                           \
    (READ_FOLDER | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |               \
     LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE)

/* Every right of the first version, and truncating. Moving files between folders (REFER) needs
 * no mention: it is forbidden unless it is granted. */
#define ALL_BEFORE_TRUNCATE ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - LANDLOCK_ACCESS_FS_EXECUTE)

/* Beside a driver: what changes files, and folders. */
#define CHANGES (ALL_BEFORE_TRUNCATE - READ_FOLDER)

/* Files that are read repeatedly: about memory, CPUs and their load, and the time zone for
 * chat templates. */
static const struct {
    const char *path;
    uint64_t access;
} of_system[] = {
    { "/proc/self/status", READ_FILE },
    { "/proc/self/cgroup", READ_FILE },
    { "/proc/meminfo", READ_FILE },
    { "/proc/loadavg", READ_FILE },
    { "/sys/devices/system/cpu", READ_FOLDER },
    { "/etc/localtime", READ_FILE },
    { "/usr/share/zoneinfo", READ_FOLDER },
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    { "/", READ_FOLDER }, /* their reports name lines of code */
#endif
};
enum { OF_SYSTEM = sizeof of_system / sizeof of_system[0] };

struct ruleset {
    int fd;
    uint64_t handled;
};

/* Of a path that may be a link, what it leads to. -1: nothing is there. */
static int find(const char *path) {
    return open(path, O_PATH | O_CLOEXEC);
}

static void allow(const struct ruleset *set, int fd, uint64_t access) {
    struct landlock_path_beneath_attr rule = { .allowed_access = access & set->handled,
                                               .parent_fd = fd };
    (void)syscall(SYS_landlock_add_rule, set->fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

static void allow_path(const struct ruleset *set, const char *path, uint64_t access) {
    int fd = find(path);
    if (fd < 0) return;
    allow(set, fd, access);
    close(fd);
}

/* A rule is about an inode, and /proc makes another one when a name was forgotten for want of
 * memory. The descriptors, which stay open, keep the names. */
static void allow_system(const struct ruleset *set) {
    static int kept[OF_SYSTEM];
    for (int i = 0; i < OF_SYSTEM; i++) {
        if (kept[i] == 0) kept[i] = find(of_system[i].path);
        if (kept[i] >= 0) allow(set, kept[i], of_system[i].access);
    }
}

/* What base/cgroup.c reads. */
static void allow_cgroups(const struct ruleset *set) {
    static const char *const files[] = { "memory.max", "memory.high", "memory.current",
                                         "memory.stat", "cpu.max" };
    struct cgroup group;
    char path[PATH_MAX];
    cgroup_own(&group, "");
    do {
        for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
            cgroup_file(&group, files[i], path, sizeof path);
            allow_path(set, path, READ_FILE);
        }
    } while (cgroup_up(&group));
}

static void allow_model(const struct ruleset *set, const char *path) {
    char part[PATH_MAX];
    unsigned count = split_files_count(path);
    for (unsigned i = 1; i <= count; i++) {
        split_files_path(path, i, part, sizeof part);
        allow_path(set, part, READ_FILE);
    }
}

static void allow_adapters(const struct ruleset *set, const struct load_adapters *adapters) {
    for (int64_t i = 0; i < adapters->count; i++)
        allow_path(set, adapters->list[i].path, READ_FILE);
}

/* Devices, and compiled shaders in folders of the server's own (daemon/engines.c). */
static void allow_driver(const struct ruleset *set) {
    static const char *const caches[] = { "MESA_SHADER_CACHE_DIR", "CUDA_CACHE_PATH" };
    allow_path(set, "/dev", LANDLOCK_ACCESS_FS_WRITE_FILE);
    for (size_t i = 0; i < sizeof caches / sizeof caches[0]; i++) {
        const char *folder = getenv(caches[i]);
        if (folder && *folder == '/') allow_path(set, folder, CHANGES | WRITE_FOLDER);
    }
}

bool sandbox_files_limit(const struct sandbox_rights *rights) {
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi < 1) return false;
    struct ruleset set = { .handled = rights->driver ? CHANGES : ALL_BEFORE_TRUNCATE };
    if (abi >= TRUNCATE_ABI) set.handled |= LANDLOCK_ACCESS_FS_TRUNCATE;
    struct landlock_ruleset_attr attr = { .handled_access_fs = set.handled };
    set.fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
    if (set.fd < 0) return false;
    allow_system(&set);
    allow_cgroups(&set);
    if (rights->driver) allow_driver(&set);
    if (rights->model) allow_model(&set, rights->model);
    if (rights->draft) allow_model(&set, rights->draft);
    if (rights->projector) allow_path(&set, rights->projector, READ_FILE);
    if (rights->adapters) allow_adapters(&set, rights->adapters);
    if (rights->prompts) allow_path(&set, rights->prompts, WRITE_FOLDER);
    bool ok = syscall(SYS_landlock_restrict_self, set.fd, 0) == 0;
    close(set.fd);
    return ok;
}
