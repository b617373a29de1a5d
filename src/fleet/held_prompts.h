/* SPDX-License-Identifier: MIT */
/*
 * held_prompts.h - the prompts that this node has processed and still has, by the hash at the
 * end of each (prefix_chain.h). Pure.
 */
#ifndef DOZE_FLEET_HELD_PROMPTS_H
#define DOZE_FLEET_HELD_PROMPTS_H

#include <stddef.h>
#include <stdint.h>

enum { HELD_PROMPTS_MAX = 4096 }; /* the oldest goes */

struct held_prompt {
    uint64_t model; /* hash of its key */
    uint64_t head;  /* 0: the prompt is shorter than a block */
};

/* Zeroed: none. Newest first. */
struct held_prompts {
    size_t count;
    struct held_prompt list[HELD_PROMPTS_MAX];
};

/* It is the newest now, whether it was there or not. */
void held_prompts_add(struct held_prompts *held, struct held_prompt prompt);

/* It is the oldest now; nothing if there is no room. It was not there. */
void held_prompts_append(struct held_prompts *held, struct held_prompt prompt);

/* Only those of the models stay: with the others' instances their prompts have gone. */
void held_prompts_keep(struct held_prompts *held, const uint64_t *models, size_t count);
void held_prompts_drop(struct held_prompts *held, uint64_t model);

#endif
