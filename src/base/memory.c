/* SPDX-License-Identifier: MIT */
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cgroup.h"
#include "base/proc_file.h"

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

static bool read_meminfo(const char *root, const char *name, nbytes *ret_bytes) {
    char path[4096], text[4096];
    snprintf(path, sizeof path, "%s/proc/meminfo", root);
    return proc_file_read(path, text, sizeof text) && memory_parse(text, name, ret_bytes);
}

nbytes memory_available_at(const char *root) {
    nbytes machine = UINT64_MAX, allowed = cgroup_memory_available(root);
    (void)read_meminfo(root, "MemAvailable", &machine);
    return machine < allowed ? machine : allowed;
}

nbytes memory_total_at(const char *root) {
    nbytes machine = 0, allowed = cgroup_memory_total(root);
    (void)read_meminfo(root, "MemTotal", &machine);
    return machine < allowed ? machine : allowed;
}

nbytes memory_available(void) {
    return memory_available_at("");
}

nbytes memory_total(void) {
    return memory_total_at("");
}
