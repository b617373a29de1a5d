/* SPDX-License-Identifier: MIT */
#include "base/own_file.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"

char *own_file(const char *name, struct error *err) {
    static const char *const places[] = { "", "../libexec/doze/" };
    char self[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    if (len < 0) {
        error_set(err, ERR_IO, "/proc/self/exe cannot be read; is /proc mounted?");
        return NULL;
    }
    self[len] = '\0';
    *strrchr(self, '/') = '\0';
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        char *path = xasprintf("%s/%s%s", self, places[i], name);
        if (access(path, R_OK) == 0) return path;
        free(path);
    }
    error_set(err, ERR_IO, "%s is not in %s or in ../libexec/doze; reinstall doze.", name,
              self);
    return NULL;
}
