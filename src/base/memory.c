/* SPDX-License-Identifier: MIT */
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool memory_parse(const char *text, const char *name, nbytes *ret_bytes) {
    size_t len = strlen(name);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        if (*line == '\n') line++;
        if (strncmp(line, name, len) != 0 || line[len] != ':') continue;
        *ret_bytes = strtoull(line + len + 1, NULL, 10) * 1024;
        return true;
    }
    return false;
}

/* A short /proc or /sys file. */
static bool read_text(const char *path, char *text, size_t size) {
    FILE *file = fopen(path, "re");
    if (!file) return false;
    size_t len = fread(text, 1, size - 1, file);
    fclose(file);
    text[len] = '\0';
    return len > 0;
}

static bool read_number(const char *path, nbytes *ret) {
    char text[64];
    if (!read_text(path, text, sizeof text) || strncmp(text, "max", 3) == 0) return false;
    *ret = strtoull(text, NULL, 10);
    return true;
}

nbytes memory_stat_cache(const char *text) {
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

/* cgroup v2, as seen from inside a container: its own root. What is cached of files, the
 * weights of models among them, is given up when it is needed. */
static nbytes cgroup_available(void) {
    nbytes most = 0, used = 0;
    char stat[8192] = "";
    if (!read_number("/sys/fs/cgroup/memory.max", &most)) return UINT64_MAX;
    if (!read_number("/sys/fs/cgroup/memory.current", &used)) return UINT64_MAX;
    (void)read_text("/sys/fs/cgroup/memory.stat", stat, sizeof stat);
    nbytes cache = memory_stat_cache(stat);
    used = used > cache ? used - cache : 0;
    return most > used ? most - used : 0;
}

static bool meminfo(const char *name, nbytes *ret_bytes) {
    char text[4096];
    return read_text("/proc/meminfo", text, sizeof text) && memory_parse(text, name, ret_bytes);
}

nbytes memory_available(void) {
    nbytes machine = UINT64_MAX;
    (void)meminfo("MemAvailable", &machine);
    nbytes container = cgroup_available();
    return machine < container ? machine : container;
}

nbytes memory_total(void) {
    nbytes total = 0;
    nbytes most = 0;
    (void)meminfo("MemTotal", &total);
    if (read_number("/sys/fs/cgroup/memory.max", &most) && most < total) total = most;
    return total;
}
