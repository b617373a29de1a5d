/* SPDX-License-Identifier: MIT */
#include "catalog/model_files.h"

#include <dirent.h>
#include <errno.h>
#include <fts.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/split_files.h"
#include "base/xalloc.h"

static const char snapshots[] = "/snapshots/";

static void files_add(struct model_files *files, const char *path) {
    struct stat st;
    if (lstat(path, &st) != 0) return;
    for (size_t i = 0; i < files->count; i++) {
        if (strcmp(files->paths[i], path) == 0) return;
    }
    files->paths = xrealloc(files->paths, (files->count + 1) * sizeof *files->paths);
    files->paths[files->count++] = xstrdup(path);
    if (S_ISREG(st.st_mode)) files->bytes += (nbytes)st.st_size;
}

void model_files_clear(struct model_files *files) {
    for (size_t i = 0; i < files->count; i++) free(files->paths[i]);
    free(files->paths);
    *files = (struct model_files){ 0 };
}

static bool files_have(const struct model_files *files, const char *path) {
    for (size_t i = 0; i < files->count; i++) {
        if (strcmp(files->paths[i], path) == 0) return true;
    }
    return false;
}

/* --- the set and its projectors --- */

static void add_parts(struct model_files *files, const char *path) {
    unsigned count = split_files_count(path);
    for (unsigned i = 1; i <= count; i++) {
        char part[PATH_MAX];
        split_files_path(path, i, part, sizeof part);
        files_add(files, count == 1 ? path : part);
    }
}

static bool is_gguf(const char *name) {
    size_t len = strlen(name);
    return len > 5 && strcasecmp(name + len - 5, ".gguf") == 0;
}

static char *folder_of(const char *path) {
    const char *slash = strrchr(path, '/');
    return xasprintf("%.*s", (int)(slash ? slash - path : 0), path);
}

/* The projectors of the folder; none if it has a model that is not among the files. */
static void add_projectors(struct model_files *files) {
    struct model_files found = { 0 };
    bool others = false;
    char *folder = folder_of(files->count ? files->paths[0] : "");
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        char *path = xasprintf("%s/%s", folder, entry->d_name);
        if (is_gguf(path) && strcasestr(entry->d_name, "mmproj")) {
            files_add(&found, path);
        } else if (is_gguf(path) && !files_have(files, path)) {
            others = true;
        }
        free(path);
    }
    if (dir) closedir(dir);
    for (size_t i = 0; i < found.count && !others; i++) files_add(files, found.paths[i]);
    model_files_clear(&found);
    free(folder);
}

/* --- the Hugging Face cache --- */

/* Length of ".../models--owner--name"; 0: not in the cache. */
static size_t repository_len(const char *path) {
    const char *at = strstr(path, snapshots);
    if (!at) return 0;
    const char *name = memrchr(path, '/', (size_t)(at - path));
    bool cached = name && strncmp(name, "/models--", strlen("/models--")) == 0;
    return cached ? (size_t)(at - path) : 0;
}

bool model_file_is_cached(const char *path) {
    return repository_len(path) > 0;
}

/* The path below the revision's folder. */
static const char *path_in_revision(const char *path) {
    const char *revision = path + repository_len(path) + strlen(snapshots);
    const char *slash = strchr(revision, '/');
    return slash ? slash + 1 : revision;
}

/* The same files in the other revisions. */
static void add_revisions(struct model_files *files, const char *repository) {
    size_t count = files->count;
    char *folder = xasprintf("%s/snapshots", repository);
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        for (size_t i = 0; i < count && entry->d_name[0] != '.'; i++) {
            char *path = xasprintf("%s/%s/%s", folder, entry->d_name,
                                   path_in_revision(files->paths[i]));
            files_add(files, path);
            free(path);
        }
    }
    if (dir) closedir(dir);
    free(folder);
}

enum links { LINKS_OF_FILES, LINKS_OF_OTHERS };

/* Where the links of the repository lead: those of the files, or all others. */
static void list_blobs(const struct model_files *files, const char *repository,
                       enum links links, struct model_files *ret_blobs) {
    char *folder = xasprintf("%s/snapshots", repository);
    FTS *walk = fts_open((char *[]){ folder, NULL }, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    for (FTSENT *entry; walk && (entry = fts_read(walk));) {
        bool link = entry->fts_info == FTS_SL || entry->fts_info == FTS_SLNONE;
        if (!link || files_have(files, entry->fts_path) != (links == LINKS_OF_FILES)) continue;
        char *target = realpath(entry->fts_path, NULL);
        if (target) files_add(ret_blobs, target);
        free(target);
    }
    if (walk) fts_close(walk);
    free(folder);
}

static void add_blobs(struct model_files *files, const char *repository) {
    struct model_files ours = { 0 }, others = { 0 };
    char *real = realpath(repository, NULL);
    size_t len = real ? strlen(real) : 0;
    list_blobs(files, repository, LINKS_OF_FILES, &ours);
    list_blobs(files, repository, LINKS_OF_OTHERS, &others);
    for (size_t i = 0; i < ours.count && real; i++) {
        bool inside = strncmp(ours.paths[i], real, len) == 0 &&
                      strncmp(ours.paths[i] + len, "/blobs/", strlen("/blobs/")) == 0;
        if (inside && !files_have(&others, ours.paths[i])) files_add(files, ours.paths[i]);
    }
    model_files_clear(&ours);
    model_files_clear(&others);
    free(real);
}

void model_files_find(const char *path, struct model_files *ret_files) {
    *ret_files = (struct model_files){ 0 };
    add_parts(ret_files, path);
    add_projectors(ret_files);
    if (!model_file_is_cached(path)) return;
    char *repository = xasprintf("%.*s", (int)repository_len(path), path);
    add_revisions(ret_files, repository);
    add_blobs(ret_files, repository);
    free(repository);
}

/* --- removal --- */

static bool fail_path(const char *path, struct error *err) {
    return error_set(err, ERR_IO, "%.120s cannot be removed: %s.", path, strerror(errno));
}

static bool check_all(const struct model_files *files, struct error *err) {
    bool ok = true;
    for (size_t i = 0; i < files->count && ok; i++) {
        char *folder = folder_of(files->paths[i]);
        ok = access(folder, W_OK | X_OK) == 0;
        if (!ok) fail_path(files->paths[i], err);
        free(folder);
    }
    return ok;
}

/* rmdir refuses a folder that has anything in it. */
static void remove_empty_folders(const char *path, const char *root) {
    size_t root_len = strlen(root);
    char *folder = folder_of(path);
    while (strlen(folder) > root_len && strncmp(folder, root, root_len) == 0 &&
           rmdir(folder) == 0) {
        *strrchr(folder, '/') = '\0';
    }
    free(folder);
}

bool model_files_remove(const struct model_files *files, const char *root, struct error *err) {
    if (!check_all(files, err)) return false;
    for (size_t i = 0; i < files->count; i++) {
        if (unlink(files->paths[i]) != 0 && errno != ENOENT) {
            return fail_path(files->paths[i], err);
        }
    }
    for (size_t i = 0; i < files->count; i++) remove_empty_folders(files->paths[i], root);
    return true;
}
