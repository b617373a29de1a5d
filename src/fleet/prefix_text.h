/* SPDX-License-Identifier: MIT */
/* prefix_text.h - the text of a request by which its prompt is known: what comes first in the
 * prompt first, so that a conversation goes on with more of the same. Pure. */
#ifndef DOZE_FLEET_PREFIX_TEXT_H
#define DOZE_FLEET_PREFIX_TEXT_H

#include <yyjson.h>

#include "fleet/prefix_chain.h"

/* Of the body of a neutral request (api/service.h), whatever its dialect. */
void prefix_text_add(struct prefix_chain *chain, yyjson_mut_val *body);

/* The chain's hashes of a request whose model is not known yet. Zeroed: none. */
struct prefix_marks {
    uint64_t *hashes;
    uint32_t count;
};

void prefix_marks_make(struct prefix_marks *marks, const char *secret, yyjson_mut_val *body);
void prefix_marks_clear(struct prefix_marks *marks);

/* The hash for that model (a hash of its key). */
uint64_t prefix_mark_of(uint64_t hash, uint64_t model);

#endif
