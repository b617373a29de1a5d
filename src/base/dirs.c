/* SPDX-License-Identifier: MIT */
#include "base/dirs.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/xalloc.h"

static bool make_one(const char *path, mode_t mode) {
    struct stat st;
    if (mkdir(path, mode) == 0) return true;
    if (errno != EEXIST) return false;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) return true;
    errno = ENOTDIR;
    return false;
}

bool dirs_make(const char *path, mode_t mode, struct error *err) {
    char part[PATH_MAX];
    if (snprintf(part, sizeof part, "%s", path) >= (int)sizeof part) {
        return error_set(err, ERR_IO, "The path %.200s... is too long for a folder.", path);
    }
    char *end = part;
    do {
        end += strspn(end, "/");
        end += strcspn(end, "/");
        char slash = *end;
        *end = '\0';
        if (!make_one(part, mode)) {
            return error_set(err, ERR_IO, "The folder '%.200s' cannot be made: %s.", part,
                             strerrordesc_np(errno));
        }
        *end = slash;
    } while (*end);
    return true;
}

bool dirs_make_parent(const char *path, mode_t mode, struct error *err) {
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path) return true;
    char *folder = xstrndup(path, (size_t)(slash - path));
    bool ok = dirs_make(folder, mode, err);
    free(folder);
    return ok;
}
