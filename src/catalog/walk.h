/* SPDX-License-Identifier: MIT */
/*
 * walk.h - the GGUF files below some folders, and the folders that were looked into.
 *
 * Links are followed; a link to a folder that another link has led to is not, so circles end.
 * Names that begin with a dot are skipped. Bounded: 8 levels, 20,000 files, 50,000 folders;
 * what lies beyond is not found.
 */
#ifndef DOZE_CATALOG_WALK_H
#define DOZE_CATALOG_WALK_H

#include <stddef.h>
#include <sys/types.h>

#include "base/msec.h"

struct found_file {
    char *path;      /* absolute */
    size_t root_len; /* path + root_len: the path below the folder that was walked */
    dev_t device;
    ino_t inode; /* same device and inode: the same file */
    nbytes size;
    msec modified; /* Unix ms */
    int problem;   /* errno of stat: a link whose target is missing; 0: none */
};

/* A folder in which a change can add or remove a model. */
struct found_folder {
    char *path;
    char *awaited; /* NULL: it was looked into. Else it is the nearest existing parent of a
                      folder that does not exist, and only the entry of this name matters */
};

struct found {
    struct found_file *files; /* by folder as given, then by name */
    size_t file_count;
    struct found_folder *folders;
    size_t folder_count;
};

/* Caller clears. Folders that cannot be read have no files. */
void walk_folders(const char *const *dirs, size_t dir_count, struct found *ret_found);
void found_clear(struct found *found);

#endif
