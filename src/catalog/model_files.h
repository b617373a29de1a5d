/* SPDX-License-Identifier: MIT */
/*
 * model_files.h - the files that a model consists of, and their removal.
 *
 * They come and go together: all parts of a split set, and the projectors (mmproj) in a folder
 * that has no other model. In the Hugging Face cache: the file's links in all revisions, and
 * the blobs that no other link of the repository leads to. Elsewhere a link is removed, never
 * what it leads to. Safe on any thread.
 */
#ifndef DOZE_CATALOG_MODEL_FILES_H
#define DOZE_CATALOG_MODEL_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/msec.h"

struct model_files {
    char **paths;
    size_t count;
    nbytes bytes; /* of the regular files among them */
};

/* The files of the model whose first file is at this path. Clear with model_files_clear. */
void model_files_find(const char *path, struct model_files *ret_files);
void model_files_clear(struct model_files *files);

/* Is the file in the layout of the Hugging Face cache? Pure. */
bool model_file_is_cached(const char *path);

/* Remove all, and the folders that are empty then, up to root (not included). First checks that
 * each folder can be changed: if one cannot, nothing is removed. Fails with ERR_IO. */
bool model_files_remove(const struct model_files *files, const char *root, struct error *err);

#endif
