/* SPDX-License-Identifier: MIT */
/* proc_file.h - short files of /proc and /sys. */
#ifndef DOZE_BASE_PROC_FILE_H
#define DOZE_BASE_PROC_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* Read up to size - 1 bytes and end them with NUL. False, with text "", if the file cannot be
 * read or is empty. */
bool proc_file_read(const char *path, char *text, size_t size);

#endif
