/* SPDX-License-Identifier: MIT */
#include "catalog/walk.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/ascii.h"
#include "base/clock.h"
#include "base/xalloc.h"

enum { LEVELS_MAX = 8, FILES_MAX = 20000, FOLDERS_MAX = 50000, LINKS_MAX = 1000 };

struct folder_id {
    dev_t device;
    ino_t inode;
};

struct walk {
    struct found *found;
    size_t root_len;
    struct folder_id links[LINKS_MAX]; /* folders that links led to, and the roots */
    size_t link_count;
};

static bool is_model_name(const char *name) {
    return ascii_ends_with(name, strlen(name), ".gguf");
}

/* What may lead to a model, or is named like one. Called by scandir. */
static int worth_a_look(const struct dirent *entry) {
    if (entry->d_name[0] == '.') return 0;
    return entry->d_type == DT_DIR || entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN ||
           is_model_name(entry->d_name);
}

/* alphasort would use the locale. */
static int by_name(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* False if a link led there before. */
static bool remember_link(struct walk *w, const struct stat *st) {
    for (size_t i = 0; i < w->link_count; i++) {
        if (w->links[i].device == st->st_dev && w->links[i].inode == st->st_ino) return false;
    }
    if (w->link_count == LINKS_MAX) return false;
    w->links[w->link_count++] = (struct folder_id){ st->st_dev, st->st_ino };
    return true;
}

/* Make room for one more item. The array doubles, so it is full when its length is 0 or a power
 * of two. */
static void *grown(void *items, size_t count, size_t size) {
    if (count & (count - 1)) return items;
    return xrealloc(items, (count ? count * 2 : 1) * size);
}

static void add_file(struct walk *w, const char *path, const struct stat *st, int problem) {
    struct found *found = w->found;
    if (found->file_count == FILES_MAX) return;
    found->files = grown(found->files, found->file_count, sizeof *found->files);
    found->files[found->file_count++] = (struct found_file){
        .path = xstrdup(path),
        .root_len = w->root_len,
        .device = st->st_dev,
        .inode = st->st_ino,
        .size = (nbytes)st->st_size,
        .modified = clock_msec(st->st_mtim),
        .problem = problem,
    };
}

/* awaited: see found_folder; taken. */
static void add_folder(struct found *found, const char *path, char *awaited) {
    found->folders = grown(found->folders, found->folder_count, sizeof *found->folders);
    found->folders[found->folder_count++] = (struct found_folder){ xstrdup(path), awaited };
}

static void walk_folder(struct walk *w, const char *path, int level);

/* Recursion no deeper than LEVELS_MAX. */
static void walk_entry(struct walk *w, const char *path, const struct dirent *entry,
                       int level) {
    char below[PATH_MAX];
    int len = snprintf(below, sizeof below, "%s/%s", path, entry->d_name);
    if (len < 0 || (size_t)len >= sizeof below) return;
    struct stat st = { 0 };
    if (stat(below, &st) != 0) {
        if (is_model_name(entry->d_name)) add_file(w, below, &(struct stat){ 0 }, errno);
    } else if (S_ISDIR(st.st_mode)) {
        struct stat self;
        bool link = lstat(below, &self) == 0 && S_ISLNK(self.st_mode);
        if (!link || remember_link(w, &st)) walk_folder(w, below, level + 1);
    } else if (is_model_name(entry->d_name)) {
        add_file(w, below, &st, 0); /* also a FIFO: gguf_file_read says what is wrong */
    }
}

static void walk_folder(struct walk *w, const char *path, int level) {
    if (level > LEVELS_MAX || w->found->folder_count >= FOLDERS_MAX) return;
    add_folder(w->found, path, NULL);
    struct dirent **entries;
    int count = scandir(path, &entries, worth_a_look, by_name);
    for (int i = 0; i < count; i++) {
        walk_entry(w, path, entries[i], level);
        free(entries[i]);
    }
    if (count >= 0) free(entries);
}

/* Add the nearest existing parent of a folder that does not exist. */
static void add_parent(struct found *found, const char *missing) {
    char *path = xstrdup(missing), *slash, *parent = NULL;
    while (!parent && (slash = strrchr(path, '/'))) {
        *slash = '\0';
        parent = realpath(*path ? path : "/", NULL);
    }
    const char *rest = parent ? missing + strlen(path) + 1 : missing;
    rest += strspn(rest, "/");
    if (!parent) parent = realpath(".", NULL); /* a relative path */
    if (parent && *rest) add_folder(found, parent, xstrndup(rest, strcspn(rest, "/")));
    free(parent);
    free(path);
}

static void walk_root(struct walk *w, const char *dir) {
    struct stat st;
    char *root = realpath(dir, NULL);
    if (!root) {
        add_parent(w->found, dir);
    } else if (stat(root, &st) == 0 && S_ISDIR(st.st_mode) && remember_link(w, &st)) {
        w->root_len = strlen(root) + 1;
        walk_folder(w, root, 0);
    }
    free(root);
}

void walk_folders(const char *const *dirs, size_t dir_count, struct found *ret_found) {
    *ret_found = (struct found){ 0 };
    struct walk *w = xcalloc(1, sizeof *w);
    w->found = ret_found;
    for (size_t i = 0; i < dir_count; i++) walk_root(w, dirs[i]);
    free(w);
}

void found_clear(struct found *found) {
    for (size_t i = 0; i < found->file_count; i++) free(found->files[i].path);
    for (size_t i = 0; i < found->folder_count; i++) {
        free(found->folders[i].path);
        free(found->folders[i].awaited);
    }
    free(found->files);
    free(found->folders);
    *found = (struct found){ 0 };
}
