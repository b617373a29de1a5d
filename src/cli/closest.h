/* SPDX-License-Identifier: MIT */
/* closest.h - suggests names for a mistyped word. Pure. */
#ifndef DOZE_CLI_CLOSEST_H
#define DOZE_CLI_CLOSEST_H

#include <stddef.h>

#include "base/buf.h"

/* Append up to three names as "'a', 'b' or 'c'", the closest first; nothing if none is
 * close. */
void closest_add(const char *word, const char *const *names, size_t count, struct buf *out);

#endif
