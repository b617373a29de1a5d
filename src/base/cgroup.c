/* SPDX-License-Identifier: MIT */
#include "base/cgroup.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/proc_file.h"

/* ---- texts ---- */

bool cgroup_parse_path(const char *text, char *ret, size_t size) {
    static const char mark[] = "0::/"; /* version 1's groups have other numbers */
    const char *line = text;
    while (line && strncmp(line, mark, sizeof mark - 1) != 0) {
        line = strchr(line, '\n');
        if (line) line++;
    }
    const char *path = line ? line + sizeof mark - 2 : "/";
    size_t len = strcspn(path, "\n");
    /* A namespace shows a group outside it as "/../other", which is not mounted. */
    if (len >= 3 && strncmp(path, "/..", 3) == 0) len = 1;
    if (len >= size) return false;
    memcpy(ret, path, len);
    ret[len] = '\0';
    return true;
}

nbytes cgroup_parse_limit(const char *text) {
    char *end = NULL;
    unsigned long long number = strtoull(text, &end, 10);
    return end == text ? UINT64_MAX : number;
}

int cgroup_parse_cpus(const char *text) {
    long long quota = 0, period = 0;
    if (sscanf(text, "%lld %lld", &quota, &period) != 2) return INT_MAX; /* "max" */
    if (quota <= 0 || period <= 0) return INT_MAX;
    long long cpus = quota / period;
    return cpus < 1 ? 1 : cpus > INT_MAX ? INT_MAX : (int)cpus;
}

nbytes cgroup_parse_cache(const char *text) {
    static const char *const names[] = { "inactive_file ", "active_file " };
    nbytes sum = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t len = strlen(names[i]);
        for (const char *line = text; line; line = strchr(line, '\n')) {
            if (*line == '\n') line++;
            if (strncmp(line, names[i], len) == 0) sum += strtoull(line + len, NULL, 10);
        }
    }
    return sum;
}

/* ---- the way up ---- */

void cgroup_own(struct cgroup *ret, const char *root) {
    char file[4096], text[8192], path[2048] = "/";
    *ret = (struct cgroup){ 0 };
    snprintf(file, sizeof file, "%s/proc/self/cgroup", root);
    if (!proc_file_read(file, text, sizeof text) ||
        !cgroup_parse_path(text, path, sizeof path)) {
        path[1] = '\0';
    }
    int top = snprintf(ret->path, sizeof ret->path, "%s/sys/fs/cgroup", root);
    ret->top = (size_t)top;
    if (path[1]) snprintf(ret->path + top, sizeof ret->path - ret->top, "%s", path);
}

bool cgroup_up(struct cgroup *group) {
    if (strlen(group->path) <= group->top) return false;
    *strrchr(group->path + group->top, '/') = '\0';
    return true;
}

void cgroup_file(const struct cgroup *group, const char *file, char *ret, size_t size) {
    snprintf(ret, size, "%s/%s", group->path, file);
}

/* ---- limits ---- */

static bool read_file(const struct cgroup *group, const char *file, char *text, size_t size) {
    char path[sizeof group->path + 32];
    cgroup_file(group, file, path, sizeof path);
    return proc_file_read(path, text, size);
}

/* UINT64_MAX if there is no such file, as in the root group of a machine. */
static nbytes read_limit(const struct cgroup *group, const char *file) {
    char text[64];
    return read_file(group, file, text, sizeof text) ? cgroup_parse_limit(text) : UINT64_MAX;
}

static nbytes least(nbytes a, nbytes b) {
    return a < b ? a : b;
}

static nbytes memory_limit(const struct cgroup *group) {
    return least(read_limit(group, "memory.max"), read_limit(group, "memory.high"));
}

/* The least that `of` says of the process's own group and those above it. */
static nbytes least_up(const char *root, nbytes (*of)(const struct cgroup *group)) {
    struct cgroup group;
    cgroup_own(&group, root);
    nbytes bytes = of(&group);
    while (cgroup_up(&group)) bytes = least(bytes, of(&group));
    return bytes;
}

nbytes cgroup_memory_total(const char *root) {
    return least_up(root, memory_limit);
}

static nbytes memory_left(const struct cgroup *group) {
    char stat[8192];
    nbytes limit = memory_limit(group);
    if (limit == UINT64_MAX) return UINT64_MAX;
    nbytes used = read_limit(group, "memory.current");
    if (used == UINT64_MAX) return UINT64_MAX;
    nbytes cache = read_file(group, "memory.stat", stat, sizeof stat) ? cgroup_parse_cache(stat)
                                                                      : 0;
    used = used > cache ? used - cache : 0;
    return limit > used ? limit - used : 0;
}

nbytes cgroup_memory_available(const char *root) {
    return least_up(root, memory_left);
}

static int cpus(const struct cgroup *group) {
    char text[64];
    return read_file(group, "cpu.max", text, sizeof text) ? cgroup_parse_cpus(text) : INT_MAX;
}

int cgroup_cpus(const char *root) {
    struct cgroup group;
    cgroup_own(&group, root);
    int allowed = cpus(&group);
    while (cgroup_up(&group)) {
        int here = cpus(&group);
        if (here < allowed) allowed = here;
    }
    return allowed;
}
