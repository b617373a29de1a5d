/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/percent.h"
#include "base/size.h"
#include "base/xalloc.h"
#include "cli/confirm.h"
#include "cli/fields.h"
#include "cli/get_job.h"
#include "cli/inventory.h"
#include "cli/on_disk.h"
#include "cli/pick.h"
#include "cli/show.h"
#include "cli/table.h"

struct get_values {
    const char *revision;
    bool yes, json, quiet, select, gguf;
};

static const struct option_row get_options[] = {
    FLAG(get, yes, "yes", 'y', "Do not ask: take what is proposed"),
    FLAG(get, select, "select", 0, "Choose the quantization"),
    OPTION(get, revision, "revision", 0, "<name>", "Branch, tag or commit (default: main)"),
    FLAG(get, quiet, "quiet", 'q', "No progress bar"),
    FLAG(get, json, "json", 0, "Print lines of JSON"),
    FLAG(get, gguf, "gguf", 0, "GGUF files, which doze gets anyway (for lms get)"),
};

enum { PICK_MAX = 20 };

struct get {
    const struct cli *cli;
    const struct get_values *v;
    char *name;         /* of the repository, as it is asked for */
    char *quantization; /* NULL: the name says it, or the server chooses */
    bool there;         /* nothing is left to do */
};

/* ---- asking the server ---- */

enum get_step { GET_PLAN, GET_DOWNLOAD };

static enum outcome get_call(const struct get *get, enum get_step step, yyjson_doc **ret_answer,
                             struct error *err) {
    yyjson_mut_val *root;
    yyjson_mut_doc *body = json_object_new(&root);
    yyjson_mut_obj_add_str(body, root, "model", get->name);
    if (get->quantization)
        yyjson_mut_obj_add_str(body, root, "quantization", get->quantization);
    if (get->v->revision) yyjson_mut_obj_add_str(body, root, "revision", get->v->revision);
    if (step == GET_PLAN) yyjson_mut_obj_add_bool(body, root, "dry_run", true);
    struct call call = { .method = "POST", .path = "/api/v1/models/download", .body = body };
    enum outcome outcome = client_call(get->cli, &call, ret_answer, err);
    yyjson_mut_doc_free(body);
    return outcome;
}

static enum outcome search_call(const struct cli *cli, const char *words,
                                yyjson_doc **ret_answer, struct error *err) {
    struct buf path = BUF_INIT(4096);
    buf_add_str(&path, "/api/v1/models/search?q=");
    (void)percent_encode(&path, words, "");
    enum outcome outcome = client_get(cli, buf_str(&path), ret_answer, err);
    buf_clear(&path);
    return outcome;
}

/* ---- without the hub ---- */

static void print_there(const struct get *get, const struct listed_model *model,
                        const struct error *why) {
    bool asked = why->code == ERR_NOT_FOUND || why->code == ERR_FORBIDDEN;
    if (get->v->json) {
        yyjson_mut_val *root;
        yyjson_mut_doc *doc = json_object_new(&root);
        yyjson_mut_obj_add_str(doc, root, "status", "already_downloaded");
        yyjson_mut_obj_add_str(doc, root, "model", get->name);
        yyjson_mut_obj_add_str(doc, root, "key", model->key);
        yyjson_mut_obj_add_str(doc, root, "path", model->path);
        yyjson_mut_obj_add_str(doc, root, "error", why->text);
        show_json(doc);
        return;
    }
    printf("%s is there already: `%s run %s`\n", model->key, get->cli->program, model->key);
    fprintf(stderr, "The hub %s: %s\n", asked ? "does not give it" : "could not be asked",
            why->text);
}

/* The hub cannot be asked for it, or does not have it: what is on the disk will do. */
static enum cli_exit get_without_hub(struct get *get, enum outcome outcome,
                                     const struct error *why) {
    struct inventory inv = { 0 };
    struct error ignored;
    if (outcome != OUTCOME_REFUSED || get->v->revision || get->v->select ||
        inventory_fetch(get->cli, &inv, &ignored) != OUTCOME_DONE)
        return client_fail(outcome, why);
    const struct listed_model *model = on_disk_find(&inv, get->name);
    if (model) print_there(get, model, why);
    get->there = model != NULL;
    inventory_clear(&inv);
    return get->there ? CLI_DONE : client_fail(outcome, why);
}

/* ---- choosing a repository ---- */

static void print_results(yyjson_val *results) {
    static const char *const header[] = { "MODEL", "QUANT", "SIZE", "FITS", "DOWNLOADS" };
    struct table table;
    size_t i, max;
    yyjson_val *result;
    table_init(&table, header, sizeof header / sizeof header[0]);
    yyjson_arr_foreach(results, i, max, result) {
        char size[SIZE_TEXT] = "?", downloads[24];
        nbytes bytes = field_bytes(result, "size_bytes");
        if (bytes) size_format(bytes, size);
        bool fits = yyjson_is_true(yyjson_obj_get(result, "fits"));
        (void)snprintf(downloads, sizeof downloads, "%lld",
                       (long long)field_int(result, "downloads"));
        table_add(&table, field_str(result, "model"));
        table_add(&table, field_str(result, "quantization"));
        table_add(&table, size);
        table_add(&table, !bytes ? "?" : fits ? "yes" : "no");
        table_add(&table, downloads);
    }
    table_show(&table);
}

/* -y takes the first; a person picks; a pipe gets the list. */
static enum cli_exit pick_result(struct get *get, yyjson_val *results) {
    struct pick_item items[PICK_MAX];
    size_t count = 0, chosen = 0, i, max;
    yyjson_val *result;
    yyjson_arr_foreach(results, i, max, result) {
        if (count == PICK_MAX) break;
        items[count++] = (struct pick_item){ .name = field_str(result, "model"),
                                             .size = field_bytes(result, "size_bytes") };
    }
    bool terminal = isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
    if (!get->v->yes && (get->v->json || !terminal)) {
        if (get->v->json)
            show_value(results);
        else
            print_results(results);
        return cli_fail(CLI_FAILED, "Name one of these models, or take the first with -y.");
    }
    if (!get->v->yes && pick_item(items, count, &chosen) != PICK_ONE)
        return cli_fail(CLI_FAILED, "Nothing was chosen.");
    free(get->name);
    get->name = xstrdup(items[chosen].name);
    return CLI_DONE;
}

static enum cli_exit search(struct get *get, const char *words) {
    struct error err;
    yyjson_doc *doc = NULL;
    enum outcome outcome = search_call(get->cli, words, &doc, &err);
    if (outcome != OUTCOME_DONE) return get_without_hub(get, outcome, &err);
    yyjson_val *results = yyjson_obj_get(yyjson_doc_get_root(doc), "results");
    enum cli_exit code = yyjson_arr_size(results) == 0
                             ? cli_fail(CLI_FAILED, "The hub has no GGUF model for '%s'.",
                                        words)
                             : pick_result(get, results);
    yyjson_doc_free(doc);
    return code;
}

/* ---- choosing a quantization ---- */

/* "Q4_K_M, Q8_0" in pieces; they point into the text, which is changed. */
static size_t split_names(char *text, struct pick_item *items, size_t max) {
    size_t count = 0;
    char *rest = NULL;
    for (char *name = strtok_r(text, ", ", &rest); name && count < max;
         name = strtok_r(NULL, ", ", &rest)) {
        items[count++] = (struct pick_item){ .name = name };
    }
    return count;
}

static enum cli_exit select_quantization(struct get *get) {
    struct error err;
    struct pick_item items[PICK_MAX];
    size_t chosen = 0;
    yyjson_doc *doc = NULL;
    enum outcome outcome = search_call(get->cli, get->name, &doc, &err);
    if (outcome != OUTCOME_DONE) return client_fail(outcome, &err);
    yyjson_val *results = yyjson_obj_get(yyjson_doc_get_root(doc), "results");
    char *names = xstrdup(field_str(yyjson_arr_get_first(results), "quantizations"));
    size_t count = split_names(names, items, PICK_MAX);
    enum pick pick = pick_item(items, count, &chosen);
    if (pick == PICK_ONE) get->quantization = xstrdup(items[chosen].name);
    free(names);
    yyjson_doc_free(doc);
    if (pick == PICK_ONE) return CLI_DONE;
    return cli_fail(CLI_FAILED, pick == PICK_MANY ? "--select needs a terminal; name the "
                                                    "quantization as owner/repo@q4_k_m."
                                                  : "Nothing was chosen.");
}

/* ---- the plan ---- */

static void print_plan(yyjson_val *plan) {
    yyjson_val *files = yyjson_obj_get(plan, "files"), *file;
    size_t i, max;
    char size[SIZE_TEXT], disk[SIZE_TEXT];
    size_format(field_bytes(plan, "total_size_bytes"), size);
    size_format(field_bytes(plan, "disk_free_bytes"), disk);
    fprintf(stderr, "%s\n", field_str(plan, "model"));
    yyjson_arr_foreach(files, i, max, file) {
        char one[SIZE_TEXT];
        size_format(field_bytes(file, "size_bytes"), one);
        fprintf(stderr, "  %s (%s)\n", field_str(file, "path"), one);
    }
    fprintf(stderr, "%s in all; the disk has %s free, in\n  %s\n", size, disk,
            field_str(plan, "path"));
    if (!yyjson_is_true(yyjson_obj_get(plan, "fits")))
        fputs("It is larger than this machine's memory.\n", stderr);
}

static bool confirmed(const struct get *get) {
    return get->v->yes || get->v->json || !isatty(STDIN_FILENO) ||
           confirm_ask("Download", CONFIRM_YES);
}

/* ---- the end ---- */

/* Whether the model is one of the job's files; others of the repository may lie beside it. */
static bool came_with(const struct listed_model *model, yyjson_val *job) {
    const char *folder = field_str(job, "path");
    size_t len = strlen(folder), i, max;
    yyjson_val *file;
    if (strncmp(model->path, folder, len) != 0 || model->path[len] != '/') return false;
    yyjson_arr_foreach(yyjson_obj_get(job, "files"), i, max, file) {
        if (strcmp(field_str(file, "path"), model->path + len + 1) == 0) return true;
    }
    return false;
}

/* Say under which key the catalog has it. */
static void print_key(const struct get *get, yyjson_val *job) {
    struct inventory inv = { 0 };
    struct error err;
    if (inventory_fetch(get->cli, &inv, &err) != OUTCOME_DONE) return;
    for (size_t i = 0; i < inv.model_count; i++) {
        const struct listed_model *model = &inv.models[i];
        if (!came_with(model, job)) continue;
        printf("%s is ready: `%s run %s`\n", model->key, get->cli->program, model->key);
        break;
    }
    inventory_clear(&inv);
}

static enum cli_exit follow(const struct get *get, yyjson_val *job) {
    const char *status = field_str(job, "status");
    enum get_output output = get->v->json ? GET_JSON : get->v->quiet ? GET_QUIET : GET_BAR;
    enum cli_exit code = CLI_DONE;
    if (strcmp(status, "already_downloaded") == 0) {
        if (get->v->json)
            show_value(job);
        else
            puts("It is there already.");
    } else {
        code = get_job_follow(get->cli, field_str(job, "job_id"), get->name, output);
    }
    if (code == CLI_DONE && output == GET_BAR) print_key(get, job);
    return code;
}

static enum cli_exit download(struct get *get) {
    struct error err;
    yyjson_doc *plan = NULL, *job = NULL;
    enum outcome outcome = get_call(get, GET_PLAN, &plan, &err);
    if (outcome != OUTCOME_DONE) return get_without_hub(get, outcome, &err);
    yyjson_val *root = yyjson_doc_get_root(plan);
    bool planned = strcmp(field_str(root, "status"), "planned") == 0;
    if (planned && !get->v->quiet && !get->v->json) print_plan(root);
    bool on = !planned || confirmed(get);
    yyjson_doc_free(plan);
    if (!on) return cli_fail(CLI_FAILED, "Nothing was downloaded.");
    outcome = get_call(get, GET_DOWNLOAD, &job, &err);
    if (outcome != OUTCOME_DONE) return client_fail(outcome, &err);
    enum cli_exit code = follow(get, yyjson_doc_get_root(job));
    yyjson_doc_free(job);
    return code;
}

/* Words to search for have no slash, or a space. */
static bool is_repository(const char *name) {
    return strchr(name, '/') && !strchr(name, ' ');
}

static enum cli_exit get_run(const struct cli *cli, const void *values) {
    struct get get = { .cli = cli, .v = values };
    const char *name = cli->arg_count > 0 ? cli->args[0] : "";
    enum cli_exit code = CLI_DONE;
    get.name = xstrdup(name);
    if (!is_repository(name)) code = search(&get, name);
    if (code == CLI_DONE && get.v->select) code = select_quantization(&get);
    if (code == CLI_DONE && !get.there) code = download(&get);
    free(get.name);
    free(get.quantization);
    return code;
}

const struct command command_get = {
    COMMAND(get, "get", "[<model>]", 0, 1),
    .summary = "Download a model from the hub",
    .details =
        "<model> is owner/repo, owner/repo@q4_k_m, owner/repo/file.gguf, a URL of the "
        "hub, or a word to search for. Without it you pick from the most downloaded "
        "models. The server downloads: Ctrl-C pauses, the same command goes on. It "
        "ends with 0 when the model is there and its checksum is right, and while the hub "
        "cannot be asked for a model that is on the disk.",
};
