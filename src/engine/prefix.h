/* SPDX-License-Identifier: MIT */
/*
 * prefix.h - which slot should take a prompt. Pure.
 *
 * A slot holds the processed tokens of its last conversation; whatever a new prompt has in
 * common with them from the start need not be processed again.
 */
#ifndef DOZE_ENGINE_PREFIX_H
#define DOZE_ENGINE_PREFIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct prefix_slot {
    const int32_t *tokens; /* processed, in order */
    size_t count;
    bool free;
    uint64_t last_used; /* larger is later */
    uint64_t key;       /* of its conversation, as the client names it; 0: none */
};

struct prefix_prompt {
    const int32_t *tokens;
    size_t count; /* > 0 */
    uint64_t key; /* as that of a slot */
};

struct prefix_choice {
    int slot;     /* a free one; -1: none is free */
    int donor;    /* slot that holds the common tokens: `slot` itself, another one, or -1 */
    size_t count; /* tokens that need no processing; less than the prompt's length */
};

/* How many tokens the beginnings of both have in common. */
size_t prefix_common(const int32_t *a, size_t a_count, const int32_t *b, size_t b_count);

/*
 * Take a free slot whose conversation the prompt continues (at least half of what it holds is
 * common) or that holds the whole prompt, the one with most in common first; else an empty
 * one; else one with the prompt's key, whose conversation starts over; else the least recently
 * used one. So a short common beginning, such as a system prompt, does not cost another
 * conversation its slot. can_share: common tokens may also be taken from another slot, busy or
 * free. One token at least is left to process, because its result is needed.
 */
struct prefix_choice prefix_choose(const struct prefix_slot *slots, int slot_count,
                                   const struct prefix_prompt *prompt, bool can_share);

#endif
