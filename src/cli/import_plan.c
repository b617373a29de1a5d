/* SPDX-License-Identifier: MIT */
#include "cli/import_plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/disk_free.h"
#include "base/names.h"
#include "base/size.h"
#include "base/split_files.h"
#include "base/xalloc.h"
#include "catalog/gguf_file.h"
#include "catalog/model_files.h"

void import_plan_clear(struct import_plan *plan) {
    for (size_t i = 0; i < plan->count; i++) {
        free(plan->files[i].from);
        free(plan->files[i].to);
    }
    free(plan->files);
    plan->files = NULL;
    plan->count = 0;
}

bool import_user_repo_ok(const char *text) {
    size_t owner = strcspn(text, "/");
    const char *name = text + owner + (text[owner] == '/');
    return owner > 0 && *name && !strchr(name, '/') && *text != '.' && *name != '.';
}

/* --- where to --- */

/* "o/n" of ".../models--o--n/snapshots/..." */
static char *repository_of(const char *path) {
    const char *at = strstr(path, "/models--") + strlen("/models--");
    size_t len = strcspn(at, "/");
    char *name = xasprintf("%.*s", (int)len, at), *gap = strstr(name, "--");
    if (gap) {
        *gap = '/';
        memmove(gap + 1, gap + 2, strlen(gap + 2) + 1);
    }
    return name;
}

/* "local/<the file's name without .gguf and the number of the part>" */
static char *local_repository(const char *path) {
    struct split_name split;
    const char *name = path_name(path);
    size_t len = strlen(name) - strlen(".gguf");
    if (split_name_parse(path, &split)) len = split.stem_len - (size_t)(name - path);
    return xasprintf("local/%.*s", (int)len, name);
}

static char *target_of(const struct import_plan *plan, const char *model, const char *path) {
    char *repo = plan->user_repo               ? xstrdup(plan->user_repo)
                 : model_file_is_cached(model) ? repository_of(model)
                                               : local_repository(model);
    char *to = xasprintf("%s/%s%s", plan->folder, repo, strrchr(path, '/'));
    free(repo);
    return to;
}

/* --- one file --- */

static bool fail_file(const char *path, struct error *err) {
    return error_set(err, ERR_IO, "%.140s: %s.", path, strerror(errno));
}

static bool check_source(const struct import_plan *plan, const char *path, struct stat *ret_st,
                         struct error *err) {
    struct gguf_meta meta;
    struct stat link;
    struct error why;
    if (stat(path, ret_st) != 0 || lstat(path, &link) != 0) return fail_file(path, err);
    if (S_ISLNK(link.st_mode) && plan->mode == IMPORT_MOVE) {
        return error_set(err, ERR_INVALID_REQUEST,
                         "%.120s is a link; use --copy, --hard-link or --symbolic-link.", path);
    }
    if (gguf_file_read(path, &meta, &why)) return true;
    return error_set(err, ERR_INVALID_REQUEST, "%.100s: %s", path, why.text);
}

/* A link to the source counts as the source, unless that is to be moved away under it. */
static bool check_target(enum import_mode mode, const char *to, const struct stat *from,
                         bool *ret_there, struct error *err) {
    struct stat st;
    int found = mode == IMPORT_MOVE ? lstat(to, &st) : stat(to, &st);
    *ret_there = false;
    if (found == 0 && st.st_dev == from->st_dev && st.st_ino == from->st_ino) {
        *ret_there = true;
        return true;
    }
    if (lstat(to, &st) != 0 && errno == ENOENT) return true;
    return error_set(err, ERR_INVALID_REQUEST,
                     "%.120s exists already; remove it, or choose another --user-repo.", to);
}

static bool plan_has(const struct import_plan *plan, const char *from) {
    for (size_t i = 0; i < plan->count; i++) {
        if (strcmp(plan->files[i].from, from) == 0) return true;
    }
    return false;
}

static bool add_file(struct import_plan *plan, const char *model, const char *path,
                     struct error *err) {
    struct stat st;
    struct import_file file = { 0 };
    if (plan_has(plan, path)) return true; /* another part of its set was named, too */
    if (!check_source(plan, path, &st, err)) return false;
    file.to = target_of(plan, model, path);
    if (!check_target(plan->mode, file.to, &st, &file.there, err)) {
        free(file.to);
        return false;
    }
    file.from = xstrdup(path);
    file.size = (nbytes)st.st_size;
    plan->files = xrealloc(plan->files, (plan->count + 1) * sizeof *plan->files);
    plan->files[plan->count++] = file;
    return true;
}

/* --- a model --- */

/* The path from "/" on, with the last link as it is. NULL with errno. */
static char *absolute(const char *path) {
    const char *slash = strrchr(path, '/');
    char *folder = slash ? xasprintf("%.*s", (int)(slash - path + 1), path) : xstrdup(".");
    char *real = realpath(folder, NULL);
    char *whole = real ? xasprintf("%s/%s", real, slash ? slash + 1 : path) : NULL;
    free(folder);
    free(real);
    return whole;
}

/* Every part of the set, so that a missing one is noticed. */
static bool add_parts(struct import_plan *plan, const char *path, struct error *err) {
    struct split_name split = { .count = 1 };
    bool set = split_name_parse(path, &split);
    bool ok = true;
    for (unsigned i = 1; i <= split.count && ok; i++) {
        char *part = set ? xasprintf("%.*s-%05u-of-%05u%s", (int)split.stem_len, path, i,
                                     split.count, strrchr(path, '.'))
                         : xstrdup(path);
        ok = add_file(plan, path, part, err);
        free(part);
    }
    return ok;
}

/* Projectors that belong to the file at `first`, the model's first one. */
static bool add_projectors(struct import_plan *plan, const char *first, struct error *err) {
    struct model_files files;
    size_t folder_len = (size_t)(strrchr(first, '/') - first) + 1;
    bool ok = true;
    model_files_find(first, &files);
    for (size_t i = 0; i < files.count && ok; i++) {
        const char *path = files.paths[i];
        bool beside = strncmp(path, first, folder_len) == 0 && !strchr(path + folder_len, '/');
        if (beside) ok = add_file(plan, first, path, err);
    }
    model_files_clear(&files);
    return ok;
}

bool import_plan_add(struct import_plan *plan, const char *path, struct error *err) {
    size_t len = strlen(path), before = plan->count;
    if (len < 6 || strcasecmp(path + len - 5, ".gguf") != 0) {
        return error_set(err, ERR_INVALID_REQUEST, "%.140s is not a .gguf file.", path);
    }
    char *whole = absolute(path);
    if (!whole) return fail_file(path, err);
    bool ok = add_parts(plan, whole, err);
    if (ok && plan->count > before) ok = add_projectors(plan, plan->files[before].from, err);
    free(whole);
    return ok;
}

/* --- the disk --- */

/* The nearest folder above that exists. */
static char *existing_parent(const char *path) {
    char *folder = xstrdup(path);
    while (access(folder, F_OK) != 0 && strrchr(folder, '/') > folder) {
        *strrchr(folder, '/') = '\0';
    }
    return folder;
}

/* Bytes that are copied: by --copy, and by a move to another disk. */
static nbytes bytes_to_copy(const struct import_plan *plan, dev_t disk) {
    nbytes bytes = 0;
    for (size_t i = 0; i < plan->count; i++) {
        struct stat st;
        bool crosses = plan->mode == IMPORT_MOVE && stat(plan->files[i].from, &st) == 0 &&
                       st.st_dev != disk;
        bool copied = plan->mode == IMPORT_COPY || crosses;
        if (copied && !plan->files[i].there) bytes += plan->files[i].size;
    }
    return bytes;
}

static bool check_room(const struct import_plan *plan, const char *folder, struct error *err) {
    struct stat st;
    char need[SIZE_TEXT], have[SIZE_TEXT];
    if (stat(folder, &st) != 0) return fail_file(folder, err);
    nbytes bytes = bytes_to_copy(plan, st.st_dev), room = disk_free(folder);
    if (bytes <= room) return true;
    size_format(bytes, need);
    size_format(room, have);
    return error_set(err, ERR_IO, "%s are to be copied, but %.100s has room for %s.", need,
                     folder, have);
}

bool import_plan_check(const struct import_plan *plan, struct error *err) {
    char *folder = existing_parent(plan->folder);
    bool ok = access(folder, W_OK | X_OK) == 0 ? check_room(plan, folder, err)
                                               : fail_file(folder, err);
    free(folder);
    return ok;
}
