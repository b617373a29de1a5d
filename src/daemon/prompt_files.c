/* SPDX-License-Identifier: MIT */
#include "daemon/prompt_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "prompts/entry.h"
#include "prompts/value.h"

enum { UNFINISHED_MS = 60000 };

/* ---- reading ---- */

/* False: it is gone, or not ours. */
static bool read_header(int dir, const char *name, uint64_t size, struct entry_header *ret,
                        bool *ret_bad) {
    unsigned char bytes[ENTRY_HEADER_SIZE];
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t n = pread(fd, bytes, sizeof bytes, 0);
    close(fd);
    if (n < 0) return false;
    *ret_bad = !entry_parse(bytes, (size_t)n, size, ret);
    return !*ret_bad;
}

static void add(struct prompt_files *files, const char *path, const char *folder,
                const char *name, const struct stat *st, uint64_t tokens) {
    if (files->count == files->cap) {
        files->cap = files->cap ? files->cap * 2 : 64;
        files->list = xrealloc(files->list, files->cap * sizeof *files->list);
    }
    files->list[files->count++] = (struct prompt_file){ .path = xasprintf("%s/%s", path, name),
                                                        .folder = folder,
                                                        .tokens = tokens,
                                                        .bytes = (uint64_t)st->st_size,
                                                        .used = clock_msec(st->st_mtim) };
}

static void look_at(struct prompt_files *files, int dir, const char *path, const char *folder,
                    const char *name, int64_t now) {
    bool unfinished = strncmp(name, ENTRY_UNFINISHED, strlen(ENTRY_UNFINISHED)) == 0;
    struct entry_header header;
    struct stat st;
    bool bad = false;
    if (!unfinished && !entry_is_name(name)) return;
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode)) return;
    if (unfinished) {
        bad = now - clock_msec(st.st_mtim) >= UNFINISHED_MS;
    } else if (read_header(dir, name, (uint64_t)st.st_size, &header, &bad)) {
        add(files, path, folder, name, &st, header.tokens);
    }
    if (bad) (void)unlinkat(dir, name, 0);
}

static void scan_folder(struct prompt_files *files, const char *dir, const char *folder,
                        int64_t now) {
    char *path = xasprintf("%s/%s", dir, folder);
    DIR *d = opendir(path);
    for (struct dirent *e; d && files->count < PROMPT_FILES_MAX && (e = readdir(d));) {
        look_at(files, dirfd(d), path, folder, e->d_name, now);
    }
    if (d) closedir(d);
    free(path);
}

void prompt_files_scan(const char *dir, int64_t now, struct prompt_files *ret) {
    *ret = (struct prompt_files){ 0 };
    DIR *d = opendir(dir);
    for (struct dirent *e; d && (e = readdir(d));) {
        if (e->d_name[0] == '.') continue;
        if (ret->folder_count % 64 == 0) {
            ret->folders = xrealloc(ret->folders, (ret->folder_count + 64) * sizeof(char *));
        }
        char *folder = xstrdup(e->d_name);
        ret->folders[ret->folder_count++] = folder;
        scan_folder(ret, dir, folder, now);
    }
    if (d) closedir(d);
}

void prompt_files_clear(struct prompt_files *files) {
    for (size_t i = 0; i < files->count; i++) free(files->list[i].path);
    for (size_t i = 0; i < files->folder_count; i++) free(files->folders[i]);
    free(files->list);
    free(files->folders);
    *files = (struct prompt_files){ 0 };
}

uint64_t prompt_files_bytes(const struct prompt_files *files) {
    uint64_t bytes = 0;
    for (size_t i = 0; i < files->count; i++) bytes += files->list[i].bytes;
    return bytes;
}

/* ---- deleting ---- */

/* Keep the folder when its last file goes: a worker may have it open, and could store nothing
 * in a deleted one. */
static bool delete_file(const struct prompt_file *file) {
    return unlink(file->path) == 0 || errno == ENOENT;
}

/* Remove the entries without a path from the list. */
static void compact(struct prompt_files *files) {
    size_t n = 0;
    for (size_t i = 0; i < files->count; i++) {
        if (files->list[i].path) files->list[n++] = files->list[i];
    }
    files->count = n;
}

static size_t drop(struct prompt_file *file) {
    if (!delete_file(file)) return 0;
    free(file->path);
    file->path = NULL;
    return 1;
}

size_t prompt_files_delete(struct prompt_files *files, const char *folder) {
    size_t n = 0;
    for (size_t i = 0; i < files->count; i++) {
        struct prompt_file *file = &files->list[i];
        if (!folder || strcmp(file->folder, folder) == 0) n += drop(file);
    }
    compact(files);
    return n;
}

size_t prompt_files_fit(struct prompt_files *files, uint64_t budget, int64_t now) {
    struct value_item *items = xcalloc(files->count + 1, sizeof *items);
    for (size_t i = 0; i < files->count; i++) {
        struct prompt_file *file = &files->list[i];
        items[i] = (struct value_item){ file->tokens, file->bytes, file->used, file };
    }
    size_t excess = value_excess(items, files->count, budget, now), n = 0;
    for (size_t i = 0; i < excess; i++) n += drop(items[i].owner);
    free(items);
    compact(files);
    return n;
}

uint64_t prompt_files_budget(const char *dir, uint64_t wanted, uint64_t taken) {
    struct statvfs fs;
    if (statvfs(dir, &fs) != 0) return wanted;
    uint64_t half = ((uint64_t)fs.f_bavail * fs.f_frsize + taken) / 2;
    return half < wanted ? half : wanted;
}
