/* SPDX-License-Identifier: MIT */
/*
 * split_files.h - the files of a split model, "<stem>-00001-of-00003.gguf", found by the name
 * of the first. What a file itself says of its set may be a lie.
 */
#ifndef DOZE_BASE_SPLIT_FILES_H
#define DOZE_BASE_SPLIT_FILES_H

#include <stddef.h>

/* How many files the set has, at most 1000; 1 if the path is not that of a set's first file.
 * *ret_stem: bytes of the stem, its folder included; 0 if it is no set. */
int split_files_count(const char *path, size_t *ret_stem);

/* The path of the file `index` (1 ... count). What does not fit into `size` bytes is cut off.
 */
void split_files_path(const char *path, size_t stem, int index, int count, char *out,
                      size_t size);

#endif
