/* SPDX-License-Identifier: MIT */
/*
 * split_files.h - the names of a split model's files, "<stem>-00001-of-00003.gguf". Pure.
 *
 * What a file's header says about its set is not used: it may be wrong. The case of the letters
 * does not matter.
 */
#ifndef DOZE_BASE_SPLIT_FILES_H
#define DOZE_BASE_SPLIT_FILES_H

#include <stdbool.h>
#include <stddef.h>

struct split_name {
    size_t stem_len; /* bytes before "-00001-of-00003.gguf", the folder's included */
    unsigned part;   /* 1 to count */
    unsigned count;  /* 1 to 99999 */
};

/* False, with *ret_name untouched, if the path is not that of a part. */
bool split_name_parse(const char *path, struct split_name *ret_name);

/* How many files belong to the model whose first file this is: 2 to 1000, or 1 if the path is
 * not that of the first file of a set. */
unsigned split_files_count(const char *path);

/* The path of file `index` (1 to split_files_count) of the model whose first file is at `path`.
 * What does not fit into `size` bytes is cut off. */
void split_files_path(const char *path, unsigned index, char *out, size_t size);

#endif
