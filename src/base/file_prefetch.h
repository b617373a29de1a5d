/* SPDX-License-Identifier: MIT */
/*
 * file_prefetch.h - brings a model file into the page cache, with progress.
 *
 * libllama maps the file and lets one system call fault all of it in: for a large file on a
 * slow disk that is minutes without a sign of life. Reading it in sequence first takes no
 * longer and can be watched. What is in the cache already is not read again.
 */
#ifndef DOZE_BASE_FILE_PREFETCH_H
#define DOZE_BASE_FILE_PREFETCH_H

#include <stdbool.h>
#include <stdint.h>

/* progress: 0..1, whether it may go on. */
typedef bool (*file_prefetch_fn)(float progress, void *ctx);

/* Read what is missing of the file; of all files of a split set if the path is its first one.
 * Stops early, without an error, if the file cannot be read or is larger than the memory that
 * is free: the load itself will tell. Returns the bytes that were read. */
uint64_t file_prefetch(const char *path, file_prefetch_fn progress, void *ctx);

#endif
