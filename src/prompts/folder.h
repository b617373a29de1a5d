/* SPDX-License-Identifier: MIT */
/* folder.h - a model's folder in the prompt store, from its key and back. Pure. */
#ifndef DOZE_PROMPTS_FOLDER_H
#define DOZE_PROMPTS_FOLDER_H

#include <stdbool.h>

#include "base/buf.h"

/* Append the key with every byte but letters, digits and .-_ written as %XX (a dot in front,
 * too). A name that would be too long for a file system ends in a checksum instead. "" gives
 * "%". */
void folder_from_key(const char *key, struct buf *out);

/* Append the key of such a name; any other name as it is. */
void folder_to_key(const char *folder, struct buf *out);

#endif
