/* SPDX-License-Identifier: MIT */
/*
 * file_prefetch.h - brings a model file into the page cache, with progress.
 *
 * libllama maps the file and has one system call fault all of it in, which takes minutes for a
 * large file on a slow disk and reports nothing meanwhile. Reading it in sequence first takes
 * no longer and reports its progress. What is already in the cache is not read again.
 */
#ifndef DOZE_BASE_FILE_PREFETCH_H
#define DOZE_BASE_FILE_PREFETCH_H

#include <stdbool.h>
#include <stdint.h>

/* progress: 0 to 1. Returns whether to go on. */
typedef bool (*file_prefetch_fn)(float progress, void *ctx);

/* Read what the cache lacks of the file, or of all files of a split set if the path is that of
 * the first. False: a file cannot be read, the free memory cannot hold them, or progress said
 * to stop; the load itself says why. ret_read: how many bytes were read; may be NULL. */
bool file_prefetch(const char *path, file_prefetch_fn progress, void *ctx, uint64_t *ret_read);

#endif
