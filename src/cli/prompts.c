/* SPDX-License-Identifier: MIT */
/* prompts.c - `doze prompts ls` and `prompts clear`: processed prompts kept on disk. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/percent.h"
#include "base/size.h"
#include "cli/confirm.h"
#include "cli/fields.h"
#include "cli/show.h"
#include "cli/table.h"

static const char prompts_path[] = "/api/v1/prompts";

enum { MAX_PATH = 4096 };

/* --- prompts ls --- */

struct prompts_ls_values {
    bool json;
};

static const struct option_row prompts_ls_options[] = {
    FLAG(prompts_ls, json, "json", 0, "Print the server's JSON"),
};

static void add_number(struct table *table, int64_t n) {
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)n);
    table_add(table, text);
}

static void prompts_print(yyjson_val *models) {
    static const char *const header[] = { "MODEL", "ENTRIES", "TOKENS", "SIZE" };
    struct table table;
    size_t i, max;
    yyjson_val *model;
    table_init(&table, header, sizeof header / sizeof header[0]);
    yyjson_arr_foreach(models, i, max, model) {
        char size[SIZE_TEXT];
        size_format(field_bytes(model, "bytes"), size);
        table_add(&table, field_str(model, "model"));
        add_number(&table, field_int(model, "entries"));
        add_number(&table, field_int(model, "tokens"));
        table_add(&table, size);
    }
    table_show(&table);
}

static enum cli_exit prompts_ls_run(const struct cli *cli, const void *values) {
    const struct prompts_ls_values *v = values;
    struct error err;
    yyjson_doc *answer = NULL;
    enum outcome outcome = client_get(cli, prompts_path, &answer, &err);
    if (outcome != OUTCOME_DONE) return client_fail(outcome, &err);
    yyjson_val *root = yyjson_doc_get_root(answer);
    yyjson_val *models = yyjson_obj_get(root, "models");
    if (v->json) {
        show_value(root);
    } else if (yyjson_arr_size(models) == 0) {
        fprintf(stderr, "No processed prompts are kept on disk.\n");
    } else {
        prompts_print(models);
    }
    yyjson_doc_free(answer);
    return CLI_DONE;
}

const struct command command_prompts_ls = {
    COMMAND(prompts_ls, "prompts ls", NULL, 0, 0),
    .summary = "List the processed prompts kept on disk",
    .details = "A model that is loaded again uses them instead of processing the prompts "
               "again.",
};

/* --- prompts clear --- */

struct prompts_clear_values {
    bool yes, json;
};

static const struct option_row prompts_clear_options[] = {
    FLAG(prompts_clear, yes, "yes", 'y', "Do not ask"),
    FLAG(prompts_clear, json, "json", 0, "Print the server's JSON"),
};

/* Ask a person before everything is deleted; a script has said what it wants. */
static bool prompts_clear_confirmed(const struct cli *cli,
                                    const struct prompts_clear_values *v) {
    return cli->arg_count > 0 || v->yes || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO) ||
           confirm_ask("Delete the processed prompts of all models", CONFIRM_NO);
}

static enum outcome prompts_delete(const struct cli *cli, const char *key,
                                   yyjson_doc **ret_answer, struct error *err) {
    struct buf path = BUF_INIT(MAX_PATH);
    buf_addf(&path, "%s%s", prompts_path, key ? "/" : "");
    if (key) percent_encode(&path, key, PERCENT_UNRESERVED);
    struct call call = { .method = "DELETE", .path = buf_str(&path) };
    enum outcome outcome = client_call(cli, &call, ret_answer, err);
    buf_clear(&path);
    return outcome;
}

static enum cli_exit prompts_clear_run(const struct cli *cli, const void *values) {
    const struct prompts_clear_values *v = values;
    struct error err;
    yyjson_doc *answer = NULL;
    if (!prompts_clear_confirmed(cli, v)) return cli_fail(CLI_FAILED, "Nothing was deleted.");
    enum outcome outcome = prompts_delete(cli, cli->arg_count > 0 ? cli->args[0] : NULL,
                                          &answer, &err);
    if (outcome != OUTCOME_DONE) return client_fail(outcome, &err);
    yyjson_val *root = yyjson_doc_get_root(answer);
    if (v->json) {
        show_value(root);
    } else {
        long long count = (long long)field_int(root, "deleted");
        char size[SIZE_TEXT];
        size_format(field_bytes(root, "bytes"), size);
        printf("Deleted %lld processed prompt%s, %s.\n", count, count == 1 ? "" : "s", size);
    }
    yyjson_doc_free(answer);
    return CLI_DONE;
}

const struct command command_prompts_clear = {
    COMMAND(prompts_clear, "prompts clear", "[<model>]", 0, 1),
    .summary = "Delete the processed prompts of a model, or all",
    .details = "On a terminal you are asked before those of all models are deleted. Loaded "
               "models forget what they have in memory, too.",
};
