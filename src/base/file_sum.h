/* SPDX-License-Identifier: MIT */
/*
 * file_sum.h - the SHA-256 of a large file, kept with it (extended attribute
 * user.doze.sha256), so that nobody has to read gigabytes to know it.
 *
 * It counts for the size and the time of change that the file had then; a copy with another
 * time has none. Not all file systems can keep it.
 */
#ifndef DOZE_BASE_FILE_SUM_H
#define DOZE_BASE_FILE_SUM_H

#include <stdbool.h>

enum { FILE_SUM_SIZE = 65 }; /* 64 digits, lower case */

/* Keep the sum of what is in the file now. A failure does no harm: the sum is then unknown. */
void file_sum_keep(int fd, const char sum[FILE_SUM_SIZE]);

/* False if none is kept, or if the file has changed since. */
bool file_sum_find(const char *path, char ret_sum[FILE_SUM_SIZE])
    __attribute__((warn_unused_result));

#endif
