/* SPDX-License-Identifier: MIT */
/* fleet_prompts.c - which prompts this node of a fleet has processed. */
#include <string.h>

#include "daemon/fleet_node_own.h"
#include "fleet/prefix_text.h"

const char *fleet_node_secret(const struct fleet_node *node) {
    return fleet_node_is_on(node) ? node->settings.key : NULL;
}

struct held_prompt fleet_node_prompt(const char *model, const struct prefix_marks *marks) {
    uint64_t number = prefix_model(model, strlen(model));
    return (struct held_prompt){
        .model = number, .head = prefix_mark_of(marks->hashes[marks->count - 1], number)
    };
}

void fleet_node_hold(struct fleet_node *node, struct held_prompt prompt) {
    if (prompt.head == 0 || !fleet_node_is_on(node)) return;
    held_prompts_add(&node->held, prompt);
    fleet_node_touch(node);
}

void fleet_node_forget_prompts(struct fleet_node *node, const char *model) {
    if (!node) return;
    if (model)
        held_prompts_drop(&node->held, prefix_model(model, strlen(model)));
    else
        node->held.count = 0;
    fleet_node_touch(node);
}
