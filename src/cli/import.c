/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/size.h"
#include "base/user_dirs.h"
#include "base/xalloc.h"
#include "cli/confirm.h"
#include "cli/import_place.h"
#include "cli/inventory.h"
#include "cli/progress.h"
#include "cli/show.h"

struct import_values {
    bool copy, move, hard_link, symbolic_link, yes, dry_run, json;
    const char *user_repo;
};

static const struct option_row import_options[] = {
    FLAG(import, move, "move", 0, "Move the files (default)"),
    FLAG(import, copy, "copy", 'c', "Copy them"),
    FLAG(import, hard_link, "hard-link", 'L', "Link them: the same files, on the same disk"),
    FLAG(import, symbolic_link, "symbolic-link", 'l', "Link to where they are"),
    OPTION(import, user_repo, "user-repo", 0, "<owner/name>", "Folders to put them in"),
    FLAG(import, dry_run, "dry-run", 0, "Check, and say what would be done"),
    FLAG(import, yes, "yes", 'y', "Do not ask"),
    FLAG(import, json, "json", 0, "Print JSON"),
};

static bool read_mode(const struct import_values *v, enum import_mode *ret_mode) {
    *ret_mode = v->copy            ? IMPORT_COPY
                : v->hard_link     ? IMPORT_HARD_LINK
                : v->symbolic_link ? IMPORT_SYMBOLIC_LINK
                                   : IMPORT_MOVE;
    return v->copy + v->move + v->hard_link + v->symbolic_link <= 1;
}

/* --- the models folder --- */

/* Let the server scan its folders. *ret_folder: the first one, NULL if no server runs; the
 * caller frees. */
static enum outcome scan(const struct cli *cli, char **ret_folder, struct error *err) {
    struct call call = { .method = "POST", .path = "/api/v1/models/scan" };
    yyjson_doc *answer = NULL;
    *ret_folder = NULL;
    enum outcome outcome = client_call(cli, &call, &answer, err);
    yyjson_val *folders = yyjson_obj_get(yyjson_doc_get_root(answer), "folders");
    const char *folder = yyjson_get_str(yyjson_arr_get_first(folders));
    if (folder) *ret_folder = xstrdup(folder);
    yyjson_doc_free(answer);
    return outcome;
}

/* Where `doze serve` would look first. */
static char *default_folder(void) {
    const char *named = getenv("DOZE_MODELS_DIR");
    if (named && *named) return xstrndup(named, strcspn(named, ":"));
    return user_dir("XDG_DATA_HOME", ".local/share", "doze/models");
}

static enum cli_exit find_folder(const struct cli *cli, char **ret_folder, bool *ret_running) {
    struct error err;
    if (!client_is_local(cli)) {
        return cli_fail(CLI_USAGE, "Files can be imported on the server's machine only.");
    }
    enum outcome outcome = scan(cli, ret_folder, &err);
    *ret_running = outcome == OUTCOME_DONE;
    if (outcome == OUTCOME_UNREACHABLE) *ret_folder = default_folder();
    return *ret_folder ? CLI_DONE : client_fail(outcome, &err);
}

/* --- what is done --- */

static void print_plan(const struct import_plan *plan) {
    static const char *const verbs[] = { [IMPORT_MOVE] = "Move",
                                         [IMPORT_COPY] = "Copy",
                                         [IMPORT_HARD_LINK] = "Link",
                                         [IMPORT_SYMBOLIC_LINK] = "Link to" };
    for (size_t i = 0; i < plan->count; i++) {
        const struct import_file *file = &plan->files[i];
        char size[SIZE_TEXT];
        size_format(file->size, size);
        fprintf(stderr, "%s %s (%s)\n  to %s%s\n", verbs[plan->mode], file->from, size,
                file->to, file->there ? " (is there already)" : "");
    }
}

static enum cli_exit confirm(const struct import_plan *plan, bool yes) {
    if (yes || plan->mode != IMPORT_MOVE || !isatty(STDIN_FILENO)) return CLI_DONE;
    print_plan(plan);
    return confirm_ask("Go on", CONFIRM_YES) ? CLI_DONE
                                             : cli_fail(CLI_FAILED, "Nothing was imported.");
}

struct bar {
    struct progress progress;
    nbytes total;
};

static void on_copied(void *ctx, nbytes bytes) {
    struct bar *bar = ctx;
    progress_show(&bar->progress, "Copying", (double)bytes / (double)bar->total);
}

static enum cli_exit place(const struct import_plan *plan) {
    struct bar bar = { .total = 1 };
    struct error err = { 0 };
    for (size_t i = 0; i < plan->count; i++) bar.total += plan->files[i].size;
    bool ok = import_place(plan, on_copied, &bar, &err);
    progress_clear(&bar.progress);
    return ok ? CLI_DONE : cli_fail(CLI_FAILED, "%s", err.text);
}

/* --- the answer --- */

/* The key of the model with this file; NULL: none, as for a projector or a later part. */
static const char *key_of(const struct inventory *inv, const char *path) {
    for (size_t i = 0; i < inv->model_count; i++) {
        if (strcmp(inv->models[i].path, path) == 0) return inv->models[i].key;
    }
    return NULL;
}

static void print_json(const struct import_plan *plan, const struct inventory *inv,
                       bool dry_run) {
    yyjson_mut_val *list;
    yyjson_mut_doc *doc = json_array_new(&list);
    for (size_t i = 0; i < plan->count; i++) {
        const char *key = key_of(inv, plan->files[i].to);
        yyjson_mut_val *obj = yyjson_mut_arr_add_obj(doc, list);
        yyjson_mut_obj_add_str(doc, obj, "from", plan->files[i].from);
        yyjson_mut_obj_add_str(doc, obj, "to", plan->files[i].to);
        yyjson_mut_obj_add_uint(doc, obj, "bytes", plan->files[i].size);
        yyjson_mut_obj_add_bool(doc, obj, "imported", !dry_run);
        if (key) yyjson_mut_obj_add_str(doc, obj, "key", key);
    }
    show_json(doc);
}

static void print_done(const struct import_plan *plan, const struct inventory *inv) {
    for (size_t i = 0; i < plan->count; i++) {
        const char *key = key_of(inv, plan->files[i].to);
        printf("%s", plan->files[i].to);
        if (key) printf(": the model %s", key);
        putchar('\n');
    }
}

/* With a server: its keys of the new models. */
static enum cli_exit report(const struct cli *cli, const struct import_values *v,
                            const struct import_plan *plan, bool running) {
    struct inventory inv = { 0 };
    struct error err;
    char *folder = NULL;
    enum outcome outcome = running && !v->dry_run ? scan(cli, &folder, &err) : OUTCOME_DONE;
    if (folder && outcome == OUTCOME_DONE) outcome = inventory_fetch(cli, &inv, &err);
    if (v->json)
        print_json(plan, &inv, v->dry_run);
    else if (v->dry_run)
        print_plan(plan);
    else
        print_done(plan, &inv);
    inventory_clear(&inv);
    free(folder);
    return client_fail(outcome, &err);
}

static enum cli_exit import_into(const struct cli *cli, const struct import_values *v,
                                 struct import_plan *plan, bool running) {
    struct error err;
    bool ok = true;
    for (int i = 0; i < cli->arg_count && ok; i++) {
        ok = import_plan_add(plan, cli->args[i], &err);
    }
    if (!ok || !import_plan_check(plan, &err)) return cli_fail(CLI_FAILED, "%s", err.text);
    if (!v->dry_run) {
        enum cli_exit code = confirm(plan, v->yes || v->json);
        if (code == CLI_DONE) code = place(plan);
        if (code != CLI_DONE) return code;
    }
    return report(cli, v, plan, running);
}

static enum cli_exit import_run(const struct cli *cli, const void *values) {
    const struct import_values *v = values;
    struct import_plan plan = { .user_repo = v->user_repo };
    bool running = false;
    char *folder = NULL;
    if (!read_mode(v, &plan.mode)) {
        return cli_fail(CLI_USAGE,
                        "Give one of --move, --copy, --hard-link and --symbolic-link.");
    }
    if (v->user_repo && !import_user_repo_ok(v->user_repo)) {
        return cli_fail(CLI_USAGE, "--user-repo takes owner/name, not '%s'.", v->user_repo);
    }
    enum cli_exit code = find_folder(cli, &folder, &running);
    if (code != CLI_DONE) return code;
    plan.folder = folder;
    code = import_into(cli, v, &plan, running);
    import_plan_clear(&plan);
    free(folder);
    return code;
}

enum { IMPORT_MAX_ARGS = 1000 };

const struct command command_import = {
    COMMAND(import, "import", "<file>...", 1, IMPORT_MAX_ARGS),
    .summary = "Bring GGUF files into the models folder",
    .details =
        "Every file is checked before the first one moves: it must be a whole GGUF file. "
        "The other parts of a split model come along, and the projector (mmproj) beside "
        "the only model of a folder. Without --user-repo the files go to "
        "local/<the file's name>.",
};
