/* SPDX-License-Identifier: MIT */
#include "fleet/held_prompts.h"

#include <stdbool.h>
#include <string.h>

/* Its index, or the one that the newest may take the place of. */
static size_t find(const struct held_prompts *held, uint64_t head) {
    size_t i = 0;
    while (i < held->count && held->list[i].head != head) i++;
    return i < HELD_PROMPTS_MAX ? i : HELD_PROMPTS_MAX - 1;
}

void held_prompts_add(struct held_prompts *held, struct held_prompt prompt) {
    if (prompt.head == 0) return;
    size_t at = find(held, prompt.head);
    if (at == held->count) held->count++;
    memmove(&held->list[1], &held->list[0], at * sizeof held->list[0]);
    held->list[0] = prompt;
}

void held_prompts_append(struct held_prompts *held, struct held_prompt prompt) {
    if (prompt.head == 0 || held->count == HELD_PROMPTS_MAX) return;
    held->list[held->count++] = prompt;
}

static bool is_of(const struct held_prompt *prompt, const uint64_t *models, size_t count) {
    size_t i = 0;
    while (i < count && models[i] != prompt->model) i++;
    return i < count;
}

/* Those of the models, or those of all others. */
static void filter(struct held_prompts *held, const uint64_t *models, size_t count, bool of) {
    size_t kept = 0;
    for (size_t i = 0; i < held->count; i++) {
        if (is_of(&held->list[i], models, count) == of) held->list[kept++] = held->list[i];
    }
    held->count = kept;
}

void held_prompts_keep(struct held_prompts *held, const uint64_t *models, size_t count) {
    filter(held, models, count, true);
}

void held_prompts_drop(struct held_prompts *held, uint64_t model) {
    filter(held, &model, 1, false);
}
