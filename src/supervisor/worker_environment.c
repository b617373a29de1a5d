/* SPDX-License-Identifier: MIT */
#include "supervisor/worker_environment.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/xalloc.h"

#define LIBRARY_PATH "LD_LIBRARY_PATH"

/* Names; those that end with '*' are prefixes. */
static const char *const passed[] = {
    "PATH",         "LANG",           "LC_*",           "TZ",
    "HOME",         "TMPDIR",         "XDG_CACHE_HOME", /* libraries */
    LIBRARY_PATH,   "GLIBC_TUNABLES", "MALLOC_*",       /* C library */
    "OMP_*",        "GOMP_*",         "GGML_*",         /* the engine */
    "CUDA_*",       "NVIDIA_*",       "HIP_*",          "HSA_*",
    "ROCR_*",       "VK_*",           "MESA_*", /* drivers */
    "ASAN_OPTIONS", "LSAN_OPTIONS",   "TSAN_OPTIONS",   "UBSAN_OPTIONS",
    "GCOV_*", /* tests */
};

static bool is_passed(const char *entry) {
    size_t len = strcspn(entry, "=");
    for (size_t i = 0; i < sizeof passed / sizeof passed[0]; i++) {
        size_t wanted = strlen(passed[i]);
        bool prefix = passed[i][wanted - 1] == '*';
        if (prefix) wanted--;
        if (prefix ? len < wanted : len != wanted) continue;
        if (strncmp(entry, passed[i], wanted) == 0) return true;
    }
    return false;
}

static bool is_variable(const char *entry, const char *name) {
    size_t len = strlen(name);
    return strncmp(entry, name, len) == 0 && entry[len] == '=';
}

/* The user's folders come after ours. */
static void name_libraries(char *out, size_t size, const char *libraries, const char *users) {
    snprintf(out, size, LIBRARY_PATH "=%s%s%s", libraries, users ? ":" : "",
             users ? users + sizeof LIBRARY_PATH : "");
}

char **worker_environment(char *const *daemons, const char *libraries) {
    static char tunables[] = "GLIBC_TUNABLES=glibc.malloc.hugetlb=1";
    size_t given = 0, count = 0;
    bool tuned = false;
    const char *users = NULL;
    for (; daemons[given]; given++) {
        if (is_variable(daemons[given], LIBRARY_PATH)) users = daemons[given];
    }
    size_t text = libraries ? sizeof LIBRARY_PATH + strlen(libraries) + 2 : 0;
    if (libraries && users) text += strlen(users);
    size_t pointers = (given + 3) * sizeof(char *);
    char **made = xcalloc(1, pointers + text);
    for (size_t i = 0; i < given; i++) {
        if (!is_passed(daemons[i]) || (libraries && daemons[i] == users)) continue;
        tuned = tuned || is_variable(daemons[i], "GLIBC_TUNABLES");
        made[count++] = daemons[i];
    }
    if (!tuned) made[count++] = tunables;
    if (!libraries) return made;
    made[count] = (char *)made + pointers;
    name_libraries(made[count], text, libraries, users);
    return made;
}
