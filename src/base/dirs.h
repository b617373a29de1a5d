/* SPDX-License-Identifier: MIT */
/* dirs.h - makes a folder with its parents. */
#ifndef DOZE_BASE_DIRS_H
#define DOZE_BASE_DIRS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

/* Make the folder and its missing parents, each with this mode; those that exist stay as they
 * are. Succeeds if the folder exists in the end. Fails with ERR_IO and the part at fault. */
bool dirs_make(const char *path, mode_t mode, struct error *err);

/* The same for the folder that the path is in. */
bool dirs_make_parent(const char *path, mode_t mode, struct error *err);

#endif
