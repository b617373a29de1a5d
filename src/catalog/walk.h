/* SPDX-License-Identifier: MIT */
/*
 * walk.h - the GGUF files below some folders.
 *
 * Links are followed; one that leads to a folder where another link has led already is not, so
 * circles end. Names that begin with a dot are passed over. Bounded: 8 levels, 20,000 files,
 * 50,000 folders; what lies beyond is not found.
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
    int problem;   /* errno why it cannot be looked at (a link to nowhere); 0: none */
};

struct found_files {
    struct found_file *files; /* by folder as given, then by name */
    size_t count;
};

/* Caller clears. Folders that are missing or closed to us are passed over. */
void walk_folders(const char *const *dirs, size_t dir_count, struct found_files *ret_found);
void found_files_clear(struct found_files *found);

#endif
