/* SPDX-License-Identifier: MIT */
/*
 * prefix_text.h - the text of a request by which its prompt and its conversation are known:
 * what comes first in the prompt first, so that a conversation goes on with more of the same.
 * Pure.
 */
#ifndef DOZE_FLEET_PREFIX_TEXT_H
#define DOZE_FLEET_PREFIX_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <yyjson.h>

/* Of a request whose model is not known yet. Zeroed: nothing is known of it. */
struct prefix_marks {
    uint64_t *hashes; /* of the chain; its own */
    uint32_t count;
    uint64_t lot; /* the same for all requests of a conversation; 0: it is none */
};

/* Of the body of a neutral request (api/service.h), whatever its dialect; not of one that is
 * sealed. Clear with prefix_marks_clear. */
void prefix_marks_make(struct prefix_marks *ret, const char *secret, yyjson_mut_val *body);
void prefix_marks_clear(struct prefix_marks *marks);

/* The number of the model with that key, on all nodes. */
uint64_t prefix_model(const char *key, size_t len);

/* The hash for that model. */
uint64_t prefix_mark_of(uint64_t hash, uint64_t model);

#endif
