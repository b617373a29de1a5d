/* SPDX-License-Identifier: MIT */
#include "cli/model_choice.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/no_model.h"
#include "base/xalloc.h"
#include "cli/client.h"

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

static void print_no_model(const struct cli *cli, const struct inventory *inv, const char *name,
                           const struct pick_item *items, size_t count) {
    struct error err, shown;
    struct buf names = BUF_INIT(200);
    pick_add_names(items, count, &names);
    if (count > 0) {
        cli_fail(CLI_FAILED, "%zu models match %s: %s; name one of them.", count, name,
                 buf_str(&names));
    } else {
        if (inv->model_count > 0)
            error_no_model(&err, "model", name, NULL);
        else
            error_no_models(&err);
        client_read_refusal(cli, error_name(err.code), err.text, &shown);
        cli_fail(CLI_FAILED, "%s", shown.text);
    }
    buf_clear(&names);
}

const struct listed_model *model_choice_named(const struct cli *cli,
                                              const struct inventory *inv, const char *name) {
    struct pick_item *items = xcalloc(inv->model_count, sizeof *items);
    const struct listed_model *whole = NULL, *part = NULL;
    size_t count = 0;
    for (size_t i = 0; i < inv->model_count; i++) {
        const struct listed_model *model = &inv->models[i];
        if (strcasecmp(model->key, name) == 0) whole = model;
        if (!strcasestr(model->key, name)) continue;
        items[count++] = (struct pick_item){ .name = model->key };
        part = model;
    }
    if (!whole && count != 1) print_no_model(cli, inv, name, items, count);
    free(items);
    return whole ? whole : count == 1 ? part : NULL;
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

/* The loaded models that can chat. */
static struct pick_item *loaded_list(const struct inventory *inv, size_t *ret_count) {
    struct pick_item *items = xcalloc(inv->instance_count, sizeof *items);
    size_t count = 0;
    for (size_t i = 0; i < inv->model_count; i++) {
        const struct listed_model *model = &inv->models[i];
        for (size_t j = 0; j < model->instance_count && !listed_model_embeds(model); j++) {
            const struct listed_instance *instance = &inv->instances[model->first_instance + j];
            items[count++] = (struct pick_item){ instance->id, instance->memory_bytes };
        }
    }
    *ret_count = count;
    return items;
}

/* The only model of another kind with this part in its name: the server says what it is. */
static const char *only_other(const struct inventory *inv, const char *part) {
    size_t count = 0;
    struct pick_item *items = model_choice_list(inv, part, false, &count);
    const char *key = count == 1 ? items[0].name : NULL;
    free(items);
    return key;
}

const char *model_choice(const struct inventory *inv, const char *name) {
    size_t count = 0, chosen = 0;
    if (name ? is_whole_name(inv, name) : !isatty(STDIN_FILENO)) return NULL;
    struct pick_item *items = name ? NULL : loaded_list(inv, &count);
    if (count == 0) {
        free(items);
        items = model_choice_list(inv, name, true, &count);
    }
    bool picked = pick_item(items, count, &chosen) == PICK_ONE;
    const char *key = picked ? items[chosen].name : NULL;
    free(items);
    return key || !name || count > 0 ? key : only_other(inv, name);
}
