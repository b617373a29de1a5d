/* SPDX-License-Identifier: MIT */
/* names.h - the part of a name that tells things apart. Pure. */
#ifndef DOZE_BASE_NAMES_H
#define DOZE_BASE_NAMES_H

#include <stddef.h>

/* What follows the last slash of a path; all of it if there is none. Borrowed. */
const char *path_name(const char *path);

/* The length of a name without the tag ":latest", which Ollama's listings add. */
size_t untagged_len(const char *name);

#endif
