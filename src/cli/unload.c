/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/xalloc.h"
#include "cli/pick.h"
#include "cli/show.h"

struct unload_values {
    bool all, json;
};

static const struct option_row unload_options[] = {
    FLAG(unload, all, "all", 'a', "Unload every loaded model"),
    FLAG(unload, json, "json", 0, "Print a JSON array of what was unloaded"),
};

static void print_unloaded(const struct unload_values *v, const char *const *ids,
                           size_t count) {
    if (!v->json) {
        for (size_t i = 0; i < count; i++) printf("Model \"%s\" unloaded.\n", ids[i]);
        return;
    }
    yyjson_mut_val *list;
    yyjson_mut_doc *doc = json_array_new(&list);
    for (size_t i = 0; i < count; i++) yyjson_mut_arr_add_str(doc, list, ids[i]);
    show_json(doc);
}

/* Also if none is listed: one whose worker died may wait to be loaded again. */
static enum cli_exit unload_all(const struct cli *cli, const struct unload_values *v,
                                const struct inventory *inv) {
    size_t count = inv->instance_count;
    struct error err;
    enum outcome outcome = instance_unload(cli, NULL, &err);
    if (outcome != OUTCOME_DONE) return client_fail(outcome, &err);
    const char **ids = xcalloc(count, sizeof *ids);
    for (size_t i = 0; i < count; i++) ids[i] = inv->instances[i].id;
    print_unloaded(v, ids, count);
    if (!v->json) printf("Unloaded %zu model%s.\n", count, count == 1 ? "" : "s");
    free(ids);
    return CLI_DONE;
}

static enum cli_exit unload_named(const struct cli *cli, const struct unload_values *v,
                                  const char *id) {
    struct error err;
    enum outcome outcome = instance_unload(cli, id, &err);
    if (outcome != OUTCOME_DONE) return client_fail(outcome, &err);
    print_unloaded(v, &id, 1);
    return CLI_DONE;
}

struct match {
    const char *part, *found; /* found NULL: none yet */
    bool several;
};

static void look_at(struct match *match, const char *name) {
    if (!strcasestr(name, match->part)) return;
    if (match->found && strcmp(match->found, name) != 0) match->several = true;
    match->found = name;
}

/* The only name of an instance or of a parked worker's model that this is a part of; NULL if
 * there is none, or there are more. */
static const char *find_part(const struct inventory *inv, const char *part) {
    struct match match = { .part = part };
    for (size_t i = 0; i < inv->instance_count; i++) look_at(&match, inv->instances[i].id);
    for (size_t i = 0; i < inv->parked_count; i++) look_at(&match, inv->parked[i].model_key);
    return match.several ? NULL : match.found;
}

/* By the name as the server knows it, else by a part of an identifier. */
static enum cli_exit unload_part(const struct cli *cli, const struct unload_values *v,
                                 const char *name) {
    struct inventory inv = { 0 };
    struct error err, ignored;
    enum outcome outcome = instance_unload(cli, name, &err);
    bool unknown = outcome == OUTCOME_REFUSED && err.code == ERR_MODEL_NOT_FOUND;
    bool listed = unknown && inventory_fetch(cli, &inv, &ignored) == OUTCOME_DONE;
    const char *id = listed ? find_part(&inv, name) : NULL;
    enum cli_exit code = id ? unload_named(cli, v, id) : client_fail(outcome, &err);
    if (outcome == OUTCOME_DONE) print_unloaded(v, &name, 1);
    inventory_clear(&inv);
    return code;
}

/* Without a name: the only instance, or the one that is picked on a terminal. */
static enum cli_exit unload_picked(const struct cli *cli, const struct unload_values *v,
                                   const struct inventory *inv) {
    struct pick_item *items = xcalloc(inv->instance_count, sizeof *items);
    for (size_t i = 0; i < inv->instance_count; i++) {
        const struct listed_instance *instance = &inv->instances[i];
        items[i] = (struct pick_item){ instance->id, instance->memory_bytes };
    }
    size_t chosen = 0;
    enum cli_exit code = CLI_FAILED;
    switch (pick_item(items, inv->instance_count, &chosen)) {
    case PICK_ONE:
        code = unload_named(cli, v, items[chosen].name);
        break;
    case PICK_NONE:
        code = cli_fail(CLI_FAILED,
                        inv->instance_count ? "Nothing was unloaded." : "No model is loaded.");
        break;
    case PICK_MANY: {
        struct buf names = BUF_INIT(4096);
        pick_add_names(items, inv->instance_count, &names);
        code = cli_fail(CLI_USAGE, "Several models are loaded; name one of them, or --all: %s.",
                        buf_str(&names));
        buf_clear(&names);
        break;
    }
    }
    free(items);
    return code;
}

static enum cli_exit unload_run(const struct cli *cli, const void *values) {
    const struct unload_values *v = values;
    struct inventory inv;
    struct error err;
    if (cli->arg_count > 0 && v->all) {
        return cli_fail(CLI_USAGE, "Give a name or --all, not both.");
    }
    if (cli->arg_count > 0) return unload_part(cli, v, cli->args[0]);
    enum outcome outcome = inventory_fetch(cli, &inv, &err);
    if (outcome != OUTCOME_DONE) return client_fail(outcome, &err);
    enum cli_exit code = (v->all ? unload_all : unload_picked)(cli, v, &inv);
    inventory_clear(&inv);
    return code;
}

const struct command command_unload = {
    COMMAND(unload, "unload", "[<identifier>]", 0, 1),
    .summary = "Unload a model",
    .details = "Its running answers end at once. A part of the name will do. Without one: the "
               "only loaded model, or "
               "the one you pick on a terminal.",
};
