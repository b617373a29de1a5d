/* SPDX-License-Identifier: MIT */
/* fleet_prompts.c - which prompts this node of a fleet has processed. */
#include <string.h>

#include "base/clock.h"
#include "daemon/fleet_facts.h"
#include "daemon/fleet_node_own.h"
#include "daemon/held_store.h"
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
    node->held_changed = true;
    fleet_node_touch(node);
}

void fleet_node_forget_prompts(struct fleet_node *node, const char *model) {
    if (!node) return;
    if (model)
        held_prompts_drop(&node->held, prefix_model(model, strlen(model)));
    else
        node->held.count = 0;
    node->held_changed = true;
    fleet_node_touch(node);
}

/* ---- over a restart ---- */

/* Without files prompts do not survive it either. */
static bool is_stored(const struct fleet_node *node) {
    return settings_store_get(node->config.settings)->prompt_store == PROMPT_STORE_ON;
}

/* They are older than what has come meanwhile. */
static void node_on_read(void *ctx, const struct held_prompts *held) {
    struct fleet_node *node = ctx;
    struct held_prompts all = *held;
    for (size_t i = node->held.count; i-- > 0;) held_prompts_add(&all, node->held.list[i]);
    node->held = all;
    node->held_changed = true;
    fleet_node_touch(node);
}

void fleet_node_read_prompts(struct fleet_node *node) {
    char secret[FLEET_FINGERPRINT_SIZE];
    struct held_sink sink = { node_on_read, node };
    if (!is_stored(node)) return;
    fleet_fingerprint(node->settings.key, secret);
    held_store_read(node->config.held_store, secret, sink);
}

void fleet_node_save_prompts(struct fleet_node *node, bool last) {
    char secret[FLEET_FINGERPRINT_SIZE];
    if (!node->held_changed || !is_stored(node)) return;
    fleet_fingerprint(node->settings.key, secret);
    if (held_store_save(node->config.held_store, secret, &node->held, clock_boottime(), last))
        node->held_changed = false;
}
