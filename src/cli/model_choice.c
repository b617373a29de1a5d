/* SPDX-License-Identifier: MIT */
#include "cli/model_choice.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/xalloc.h"

struct pick_item *model_choice_list(const struct inventory *inv, const char *part, bool chats,
                                    size_t *ret_count) {
    struct pick_item *items = xcalloc(inv->model_count, sizeof *items);
    size_t count = 0;
    for (size_t i = 0; i < inv->model_count; i++) {
        const struct listed_model *model = &inv->models[i];
        if (*model->problem || (part && !strcasestr(model->key, part))) continue;
        if (chats && listed_model_embeds(model)) continue;
        items[count++] = (struct pick_item){ model->key, model->size_bytes };
    }
    *ret_count = count;
    return items;
}

static bool is_whole_name(const struct inventory *inv, const char *name) {
    for (size_t i = 0; i < inv->model_count; i++) {
        if (strcasecmp(inv->models[i].key, name) == 0) return true;
    }
    for (size_t i = 0; i < inv->instance_count; i++) {
        if (strcmp(inv->instances[i].id, name) == 0) return true;
    }
    return false;
}

const char *model_choice(const struct inventory *inv, const char *name) {
    size_t count = 0, chosen = 0;
    if (name ? is_whole_name(inv, name) : inv->instance_count > 0) return NULL;
    if (!name && !isatty(STDIN_FILENO)) return NULL;
    struct pick_item *items = model_choice_list(inv, name, true, &count);
    bool picked = pick_item(items, count, &chosen) == PICK_ONE;
    const char *key = picked ? items[chosen].name : NULL;
    free(items);
    return key;
}
