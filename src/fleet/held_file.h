/* SPDX-License-Identifier: MIT */
/* held_file.h - held prompts as the text of a file, for the node's next start. Pure. */
#ifndef DOZE_FLEET_HELD_FILE_H
#define DOZE_FLEET_HELD_FILE_H

#include <yyjson.h>

#include "base/buf.h"
#include "fleet/held_prompts.h"

/* secret: what says of which fleet key the hashes are. */
void held_file_format(const struct held_prompts *held, const char *secret, struct buf *out);

/* Those of the file; none if it is of another fleet key. What is not a prompt is left out. */
void held_file_read(yyjson_val *root, const char *secret, struct held_prompts *ret);

#endif
