/* SPDX-License-Identifier: MIT */
/* state_file.h - JSON files in the state folder: read, and moved away when they are damaged, so
 * that the next write does not destroy what can be repaired by hand. */
#ifndef DOZE_DAEMON_STATE_FILE_H
#define DOZE_DAEMON_STATE_FILE_H

#include <stdbool.h>
#include <yyjson.h>

enum { STATE_FILE_MAX = 8 << 20 }; /* bytes */

/* NULL if there is none, or if it cannot be read or parsed: then it is set aside. The caller
 * frees. */
yyjson_doc *state_file_read(const char *path);

/* Move it to "<path>.corrupt" and log a warning. why: what is wrong with it. False: it is still
 * there. */
bool state_file_set_aside(const char *path, const char *why);

#endif
