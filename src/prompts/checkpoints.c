/* SPDX-License-Identifier: MIT */
#include "prompts/checkpoints.h"

#include <stdlib.h>
#include <string.h>

/* The end of a chat's prompt is the beginning of the answer ("<|im_start|>assistant\n"), which
 * the next prompt may not repeat as it was. */
enum { BEFORE_END = 4, SHARED_LEAST = 256, APART_LEAST = 64 };

void checkpoints_add(struct checkpoints *set, struct checkpoint checkpoint) {
    if (set->count == ENTRY_MAX_CHECKPOINTS) {
        free(set->items[1].data);
        set->count--;
        memmove(&set->items[1], &set->items[2],
                (size_t)(set->count - 1) * sizeof set->items[0]);
    }
    set->items[set->count++] = checkpoint;
}

void checkpoints_cut(struct checkpoints *set, size_t tokens) {
    while (set->count > 0 && set->items[set->count - 1].tokens > tokens) {
        free(set->items[--set->count].data);
        set->items[set->count] = (struct checkpoint){ 0 };
    }
}

const struct checkpoint *checkpoints_before(const struct checkpoints *set, size_t tokens) {
    for (int i = set->count; i-- > 0;) {
        if (set->items[i].tokens <= tokens) return &set->items[i];
    }
    return NULL;
}

struct checkpoint_marks checkpoints_plan(const struct checkpoints *set, size_t from,
                                         size_t common, size_t end) {
    struct checkpoint_marks marks = { 0 };
    if (end <= BEFORE_END) return marks;
    size_t last = end - BEFORE_END;
    int n = 0;
    if (common >= SHARED_LEAST && common + APART_LEAST < last) {
        const struct checkpoint *before = checkpoints_before(set, from);
        marks.now = common == from && (!before || before->tokens < from);
        if (common > from) marks.places[n++] = common;
    }
    if (last > from) marks.places[n] = last;
    return marks;
}
