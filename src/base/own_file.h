/* SPDX-License-Identifier: MIT */
/* own_file.h - files that belong to the program: beside it, as built, or in its libexec. */
#ifndef DOZE_BASE_OWN_FILE_H
#define DOZE_BASE_OWN_FILE_H

#include "base/error.h"

/* The absolute path of a readable file that is beside the program or in ../libexec/doze; the
 * caller frees. NULL with ERR_IO. */
char *own_file(const char *name, struct error *err);

#endif
