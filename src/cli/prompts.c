/* SPDX-License-Identifier: MIT */
/* prompts.c - `doze prompts ls` and `doze prompts clear`: processed prompts kept on disk. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/percent.h"
#include "base/size.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/table.h"

struct prompts_values {
    bool json;
};

static const struct option_row prompts_options[] = {
    FLAG(prompts, json, "json", 0, "Print the server's JSON"),
};

enum { PATH_MAX_LEN = 4096 };

static void path_format(const char *key, struct buf *out) {
    buf_add_str(out, "/api/v1/prompts");
    if (!key) return;
    buf_add_str(out, "/");
    percent_encode(out, key, PERCENT_UNRESERVED);
}

/* *ret_doc is the caller's; with --json the answer is printed and *ret_doc NULL. */
static enum outcome ask(const struct cli *cli, const char *method, const char *key, bool json,
                        yyjson_doc **ret_doc, struct error *err) {
    struct buf path = BUF_INIT(PATH_MAX_LEN), answer = BUF_INIT(CLIENT_MAX_BODY);
    path_format(key, &path);
    struct call call = { .method = method, .path = buf_str(&path), .cancel_fd = -1 };
    enum outcome outcome = client_call(cli, &call, &answer, err);
    *ret_doc = NULL;
    if (outcome == OUTCOME_DONE && json) {
        puts(buf_str(&answer));
    } else if (outcome == OUTCOME_DONE) {
        *ret_doc = json_parse_object(buf_str(&answer), answer.len, err);
        if (!*ret_doc) outcome = OUTCOME_BROKEN;
    }
    buf_clear(&path);
    buf_clear(&answer);
    return outcome;
}

static uint64_t number_of(yyjson_val *obj, const char *name) {
    return yyjson_get_uint(yyjson_obj_get(obj, name));
}

static void add_number(struct table *table, uint64_t n) {
    char text[32];
    snprintf(text, sizeof text, "%llu", (unsigned long long)n);
    table_add(table, text);
}

static void print_models(yyjson_val *models) {
    static const char *const header[] = { "MODEL", "ENTRIES", "TOKENS", "SIZE" };
    struct table table;
    size_t i, max;
    yyjson_val *model;
    table_init(&table, header, 4);
    yyjson_arr_foreach(models, i, max, model) {
        const char *key = yyjson_get_str(yyjson_obj_get(model, "model"));
        char size[SIZE_TEXT];
        size_format((nbytes)number_of(model, "bytes"), size);
        table_add(&table, key ? key : "");
        add_number(&table, number_of(model, "entries"));
        add_number(&table, number_of(model, "tokens"));
        table_add(&table, size);
    }
    table_print(&table, stdout);
    table_clear(&table);
}

static enum cli_exit prompts_run_ls(const struct cli *cli, const void *values) {
    const struct prompts_values *v = values;
    struct error err;
    yyjson_doc *doc;
    enum outcome outcome = ask(cli, "GET", NULL, v->json, &doc, &err);
    if (outcome != OUTCOME_DONE) return client_fail(outcome, &err);
    if (!doc) return CLI_DONE;
    yyjson_val *models = yyjson_obj_get(yyjson_doc_get_root(doc), "models");
    if (yyjson_arr_size(models) == 0) {
        fprintf(stderr, "No processed prompts are kept on disk.\n");
    } else {
        print_models(models);
    }
    yyjson_doc_free(doc);
    return CLI_DONE;
}

static enum cli_exit prompts_run_clear(const struct cli *cli, const void *values) {
    const struct prompts_values *v = values;
    struct error err;
    yyjson_doc *doc;
    enum outcome outcome = ask(cli, "DELETE", cli->arg_count > 0 ? cli->args[0] : NULL, v->json,
                               &doc, &err);
    if (outcome != OUTCOME_DONE) return client_fail(outcome, &err);
    if (!doc) return CLI_DONE;
    yyjson_val *root = yyjson_doc_get_root(doc);
    char size[SIZE_TEXT];
    size_format((nbytes)number_of(root, "bytes"), size);
    printf("Deleted %llu processed prompts, %s.\n",
           (unsigned long long)number_of(root, "deleted"), size);
    yyjson_doc_free(doc);
    return CLI_DONE;
}

const struct command command_prompts_ls = {
    .name = "prompts ls",
    .summary = "List the processed prompts kept on disk",
    .details = "A model that was unloaded need not process them again when it comes back.",
    COMMAND_OPTIONS(prompts),
    .run = prompts_run_ls,
};

const struct command command_prompts_clear = {
    .name = "prompts clear",
    .args = "[<model>]",
    .summary = "Delete the processed prompts of a model, or all",
    .details = "What a loaded model has in memory stays until it is unloaded.",
    COMMAND_OPTIONS(prompts),
    .max_args = 1,
    .run = prompts_run_clear,
};
