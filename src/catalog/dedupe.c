/* SPDX-License-Identifier: MIT */
#include "catalog/dedupe.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "catalog/model_name.h"

struct entry {
    struct found_file *file;
    char *title; /* path without the revision's folder; NULL outside the cache */
    bool drop;
};

static int by_address(const struct entry *a, const struct entry *b) {
    return a->file < b->file ? -1 : a->file > b->file;
}

/* Names of the same file are neighbours, the one found first in front. */
static int by_inode(const void *a, const void *b) {
    const struct entry *x = a, *y = b;
    if (x->file->device != y->file->device) return x->file->device < y->file->device ? -1 : 1;
    if (x->file->inode != y->file->inode) return x->file->inode < y->file->inode ? -1 : 1;
    return by_address(x, y);
}

/* Revisions of the same file are neighbours, the newest in front. */
static int by_title(const void *a, const void *b) {
    const struct entry *x = a, *y = b;
    if (!x->title || !y->title) return x->title ? -1 : y->title ? 1 : by_address(x, y);
    int order = strcmp(x->title, y->title);
    if (order) return order;
    if (x->file->modified != y->file->modified) {
        return x->file->modified > y->file->modified ? -1 : 1;
    }
    return by_address(x, y);
}

static char *title_of(const struct found_file *file) {
    struct model_place place = model_place_parse(file->path + file->root_len);
    const char *slash = place.revision ? strchr(place.revision, '/') : NULL;
    if (!slash) return NULL;
    return xasprintf("%.*s%s", (int)(place.revision - file->path), file->path, slash);
}

static void mark(struct entry *entries, size_t count) {
    qsort(entries, count, sizeof *entries, by_inode);
    for (size_t i = 1; i < count; i++) {
        const struct found_file *a = entries[i - 1].file, *b = entries[i].file;
        entries[i].drop = a->problem == 0 && b->problem == 0 && a->device == b->device &&
                          a->inode == b->inode;
    }
    qsort(entries, count, sizeof *entries, by_title);
    for (size_t i = 1; i < count; i++) {
        const char *before = entries[i - 1].title, *title = entries[i].title;
        if (before && title && strcmp(before, title) == 0) entries[i].drop = true;
    }
}

void found_drop_duplicates(struct found *found) {
    if (found->file_count == 0) return;
    struct entry *entries = xcalloc(found->file_count, sizeof *entries);
    for (size_t i = 0; i < found->file_count; i++) {
        entries[i] = (struct entry){ &found->files[i], title_of(&found->files[i]), false };
    }
    mark(entries, found->file_count);
    for (size_t i = 0; i < found->file_count; i++) {
        free(entries[i].title);
        if (!entries[i].drop) continue;
        free(entries[i].file->path);
        entries[i].file->path = NULL;
    }
    free(entries);
    size_t kept = 0;
    for (size_t i = 0; i < found->file_count; i++) {
        if (found->files[i].path) found->files[kept++] = found->files[i];
    }
    found->file_count = kept;
}
