/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "base/percent.h"
#include "base/size.h"
#include "base/xalloc.h"
#include "cli/confirm.h"
#include "cli/fields.h"
#include "cli/model_choice.h"
#include "cli/show.h"

struct rm_values {
    bool yes, force, foreign, json;
};

static const struct option_row rm_options[] = {
    FLAG(rm, yes, "yes", 'y', "Do not ask"),
    FLAG(rm, force, "force", 'f', "Unload it first if it is loaded"),
    FLAG(rm, foreign, "foreign", 0, "Also from the folders of other programs"),
    FLAG(rm, json, "json", 0, "Print a JSON array of what was removed"),
};

/* A model to be removed, with the server's plan of the removal. */
struct target {
    const char *key; /* borrowed from the inventory */
    yyjson_doc *plan;
};

struct rm {
    const struct cli *cli;
    const struct rm_values *v;
    struct target *targets;
    size_t count;
};

enum rm_step { RM_PLAN, RM_REMOVE };

static enum outcome rm_call(const struct rm *rm, const char *key, enum rm_step step,
                            yyjson_doc **ret_answer, struct error *err) {
    struct buf path = BUF_INIT(4096);
    buf_add_str(&path, "/api/v1/models/");
    (void)percent_encode(&path, key, "");
    buf_addf(&path, "?dry_run=%s&force=%s&foreign=%s", step == RM_PLAN ? "true" : "false",
             rm->v->force ? "true" : "false", rm->v->foreign ? "true" : "false");
    struct call call = { .method = "DELETE", .path = buf_str(&path) };
    enum outcome outcome = client_call(rm->cli, &call, ret_answer, err);
    buf_clear(&path);
    return outcome;
}

/* --- before anything is removed --- */

static enum cli_exit check_plan(const struct rm *rm, const struct target *target) {
    yyjson_val *plan = yyjson_doc_get_root(target->plan);
    const char *loaded = yyjson_get_str(yyjson_arr_get_first(yyjson_obj_get(plan, "loaded")));
    if (yyjson_is_true(yyjson_obj_get(plan, "foreign")) && !rm->v->foreign) {
        yyjson_val *file = yyjson_arr_get_first(yyjson_obj_get(plan, "files"));
        return cli_fail(CLI_FAILED,
                        "%s is in a folder of another program (%s); --foreign removes it.",
                        target->key, file ? yyjson_get_str(file) : "?");
    }
    if (loaded && !rm->v->force) {
        return cli_fail(CLI_FAILED, "%s is loaded as %s; --force unloads it first.",
                        target->key, loaded);
    }
    return CLI_DONE;
}

static enum cli_exit plan_one(struct rm *rm, const struct inventory *inv, const char *name) {
    struct target *target = &rm->targets[rm->count];
    struct error err;
    const struct listed_model *model = model_choice_named(rm->cli, inv, name);
    if (!model) return CLI_FAILED;
    target->key = model->key;
    enum outcome outcome = rm_call(rm, target->key, RM_PLAN, &target->plan, &err);
    if (outcome != OUTCOME_DONE) return client_fail(outcome, &err);
    rm->count++;
    return check_plan(rm, target);
}

static bool ask_yes(const struct rm *rm) {
    for (size_t i = 0; i < rm->count; i++) {
        char size[SIZE_TEXT];
        yyjson_val *plan = yyjson_doc_get_root(rm->targets[i].plan), *files, *file;
        size_t j, max;
        size_format(field_bytes(plan, "bytes"), size);
        files = yyjson_obj_get(plan, "files");
        fprintf(stderr, "%s: %s\n", rm->targets[i].key, size);
        yyjson_arr_foreach(files, j, max, file) {
            fputs("  ", stderr);
            show_text(stderr, yyjson_get_str(file), yyjson_get_len(file));
            fputc('\n', stderr);
        }
    }
    return confirm_ask(rm->count == 1 ? "Remove it" : "Remove them", CONFIRM_NO);
}

static enum cli_exit confirm(const struct rm *rm) {
    if (rm->v->yes) return CLI_DONE;
    if (!isatty(STDIN_FILENO)) {
        return cli_fail(CLI_USAGE,
                        "There is no terminal to ask on; -y removes without asking.");
    }
    return ask_yes(rm) ? CLI_DONE : cli_fail(CLI_FAILED, "Nothing was removed.");
}

/* --- the removal --- */

static enum cli_exit remove_all(const struct rm *rm, yyjson_mut_doc *doc,
                                yyjson_mut_val *list) {
    enum cli_exit code = CLI_DONE;
    for (size_t i = 0; i < rm->count && code == CLI_DONE; i++) {
        yyjson_doc *answer = NULL;
        struct error err;
        char size[SIZE_TEXT];
        enum outcome outcome = rm_call(rm, rm->targets[i].key, RM_REMOVE, &answer, &err);
        if (outcome == OUTCOME_DONE) {
            yyjson_val *root = yyjson_doc_get_root(answer);
            size_format(field_bytes(root, "bytes"), size);
            yyjson_mut_arr_append(list, yyjson_val_mut_copy(doc, root));
            if (!rm->v->json) printf("%s removed, %s freed.\n", rm->targets[i].key, size);
        }
        code = client_fail(outcome, &err);
        yyjson_doc_free(answer);
    }
    return code;
}

static enum cli_exit rm_confirmed(const struct rm *rm) {
    yyjson_mut_val *list;
    yyjson_mut_doc *doc = json_array_new(&list);
    enum cli_exit code = remove_all(rm, doc, list);
    if (rm->v->json)
        show_json(doc);
    else
        yyjson_mut_doc_free(doc);
    return code;
}

static enum cli_exit rm_run(const struct cli *cli, const void *values) {
    struct rm rm = { .cli = cli, .v = values };
    struct inventory inv;
    struct error err;
    enum outcome outcome = inventory_fetch(cli, &inv, &err);
    if (outcome != OUTCOME_DONE) return client_fail(outcome, &err);
    enum cli_exit code = CLI_DONE;
    rm.targets = xcalloc((size_t)cli->arg_count, sizeof *rm.targets);
    for (int i = 0; i < cli->arg_count && code == CLI_DONE; i++) {
        code = plan_one(&rm, &inv, cli->args[i]);
    }
    if (code == CLI_DONE) code = confirm(&rm);
    if (code == CLI_DONE) code = rm_confirmed(&rm);
    for (int i = 0; i < cli->arg_count; i++) yyjson_doc_free(rm.targets[i].plan);
    free(rm.targets);
    inventory_clear(&inv);
    return code;
}

enum { RM_MAX_ARGS = 1000 };

const struct command command_rm = {
    COMMAND(rm, "rm", "<model>...", 1, RM_MAX_ARGS),
    .summary = "Remove models from the disk",
    .details = "Lists the files and asks before it removes them. All parts of a split model "
               "and its projector (mmproj) go together. If one of several models cannot be "
               "removed, none is.",
};
