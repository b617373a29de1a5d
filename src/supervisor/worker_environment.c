/* SPDX-License-Identifier: MIT */
#include "supervisor/worker_environment.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/xalloc.h"

/* Names; those that end with '*' are prefixes. */
static const char *const passed[] = {
    "PATH",
    "LANG",
    "LC_*",
    "TZ",
    "HOME",
    "TMPDIR",
    "XDG_CACHE_HOME", /* libraries */
    "LD_LIBRARY_PATH",
    "GLIBC_TUNABLES",
    "MALLOC_*", /* C library */
    "OMP_*",
    "GOMP_*",
    "GGML_*", /* the engine */
    "CUDA_*",
    "NVIDIA_*",
    "HIP_*",
    "HSA_*",
    "ROCR_*",
    "VK_*",
    "MESA_*", /* drivers */
    "ASAN_OPTIONS",
    "LSAN_OPTIONS",
    "TSAN_OPTIONS",
    "UBSAN_OPTIONS",
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

char **worker_environment(char *const *daemons) {
    static char tunables[] = "GLIBC_TUNABLES=glibc.malloc.hugetlb=1";
    size_t given = 0, count = 0;
    bool tuned = false;
    while (daemons[given]) given++;
    char **made = xcalloc(given + 2, sizeof *made);
    for (size_t i = 0; i < given; i++) {
        if (!is_passed(daemons[i])) continue;
        tuned = tuned || strncmp(daemons[i], "GLIBC_TUNABLES=", 15) == 0;
        made[count++] = daemons[i];
    }
    if (!tuned) made[count] = tunables;
    return made;
}
