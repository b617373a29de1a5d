/* SPDX-License-Identifier: MIT */
/* file.h - small state files, read and replaced as a whole. */
#ifndef DOZE_BASE_FILE_H
#define DOZE_BASE_FILE_H

#include <sys/stat.h>

#include "base/buf.h"
#include "base/error.h"

/* Append the file's bytes. Fails with ERR_NOT_FOUND if there is none, ERR_TOO_LARGE past the
 * buffer's maximum, else ERR_IO, also for what is not a file: a FIFO would block. */
bool file_read(const char *path, struct buf *out, struct error *err);

/* Replace the file: temporary name, fsync, rename, fsync of the folder. Mode 0600. On failure
 * the old file is unchanged. */
bool file_replace(const char *path, const char *bytes, size_t len, struct error *err);

/* The same without waiting for the disk, for files that matter only while this process runs:
 * after a crash of the machine the file may be empty. */
bool file_replace_for_now(const char *path, const char *bytes, size_t len, struct error *err);

/* Are these of the same file, unchanged? By device, inode, size and time of change. */
bool file_is_same(const struct stat *a, const struct stat *b);

/* Move a damaged file out of the way, to "<path>.corrupt" (an older one there is replaced). */
bool file_set_aside(const char *path, struct error *err);

#endif
