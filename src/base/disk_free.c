/* SPDX-License-Identifier: MIT */
#include "base/disk_free.h"

#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/xalloc.h"

nbytes disk_free(const char *folder) {
    struct statvfs fs;
    char *path = xstrdup(folder);
    nbytes free_bytes = 0;
    for (char *slash = path + strlen(path); slash; slash = strrchr(path, '/')) {
        *slash = '\0';
        if (*path && statvfs(path, &fs) == 0) {
            free_bytes = (nbytes)fs.f_bavail * fs.f_frsize;
            break;
        }
    }
    free(path);
    return free_bytes;
}
