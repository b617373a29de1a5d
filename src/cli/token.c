/* SPDX-License-Identifier: MIT */
/* token.c - `doze token create`, `token ls` and `token revoke`: the API keys of the server. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/duration.h"
#include "base/json.h"
#include "base/percent.h"
#include "cli/fields.h"
#include "cli/show.h"
#include "cli/table.h"

static const char keys_path[] = "/api/v1/keys";

enum { MAX_PATH = 4096, MAX_LIST = 4096 };

/* --- token create --- */

struct token_create_values {
    const char *permissions, *models;
    struct option_ttl expires;
    bool json;
};

static const struct option_row token_create_options[] = {
    OPTION(token_create, permissions, "permissions", 'P', "<list>",
           "What it may do: inference,models,..."),
    OPTION(token_create, models, "models", 'm', "<list>", "Only for these models"),
    OPTION(token_create, expires, "expires", 'e', "<span>", "End after 1d, 30d, ..."),
    FLAG(token_create, json, "json", 0, "Print the server's JSON"),
};

/* "a,b" as a list of strings. */
static void add_list(yyjson_mut_doc *doc, const char *name, const char *text) {
    if (!text) return;
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, yyjson_mut_doc_get_root(doc), name);
    for (const char *at = text; *at;) {
        size_t len = strcspn(at, ",");
        if (len > 0) yyjson_mut_arr_add_strncpy(doc, list, at, len);
        at += len + (at[len] == ',');
    }
}

/* The key alone on stdout, for scripts; what to do with it beside it. */
static void print_new(const struct cli *cli, yyjson_val *answer) {
    printf("%s\n", field_str(answer, "key"));
    fprintf(
        stderr,
        "This key is shown once. Clients send it as `Authorization: Bearer <key>`; for `%s` "
        "itself: export DOZE_API_KEY=<key>\n",
        cli->program);
}

static enum cli_exit token_create_run(const struct cli *cli, const void *values) {
    const struct token_create_values *v = values;
    struct error err;
    yyjson_doc *answer = NULL;
    yyjson_mut_val *root;
    yyjson_mut_doc *body = json_object_new(&root);
    yyjson_mut_obj_add_str(body, root, "name", cli->args[0]);
    add_list(body, "permissions", v->permissions);
    add_list(body, "models", v->models);
    if (v->expires.given && v->expires.value != MSEC_NEVER)
        yyjson_mut_obj_add_real(body, root, "expires_in", (double)v->expires.value / 1000);
    struct call call = { .method = "POST", .path = keys_path, .body = body };
    enum outcome outcome = client_call(cli, &call, &answer, &err);
    yyjson_mut_doc_free(body);
    if (outcome != OUTCOME_DONE) return client_fail(outcome, &err);
    if (v->json)
        show_value(yyjson_doc_get_root(answer));
    else
        print_new(cli, yyjson_doc_get_root(answer));
    yyjson_doc_free(answer);
    return CLI_DONE;
}

const struct command command_token_create = {
    COMMAND(token_create, "token create", "<name>", 1, 1),
    .summary = "Create an API key and print it once",
    .details =
        "Permissions: inference (if none is named), models (load, unload, download, "
        "remove), settings, events (log, history, metrics) and admin, which is everything. "
        "From the first key on, requests need one; the first must have admin. The key "
        "goes to stdout alone.",
};

/* --- token ls --- */

struct token_ls_values {
    bool json;
};

static const struct option_row token_ls_options[] = {
    FLAG(token_ls, json, "json", 0, "Print the server's JSON"),
};

static void add_words(struct table *table, yyjson_val *list, const char *none) {
    struct buf text = BUF_INIT(MAX_LIST);
    size_t i, max;
    yyjson_val *word;
    yyjson_arr_foreach(list, i, max, word) {
        buf_addf(&text, "%s%s", text.len ? "," : "", yyjson_get_str(word));
    }
    table_add(table, text.len ? buf_str(&text) : none);
    buf_clear(&text);
}

/* How far a time is from now: "2h13m ago", "in 29d", "never" for none. */
static void add_distance(struct table *table, msec at) {
    char span[DURATION_TEXT], text[DURATION_TEXT + 8];
    msec away = at - clock_unix();
    if (at == 0) {
        table_add(table, "never");
        return;
    }
    duration_format(away < 0 ? -away : away, span);
    snprintf(text, sizeof text, "%s%s%s", away > 0 ? "in " : "", span, away > 0 ? "" : " ago");
    table_add(table, text);
}

/* This very request is a use of its key, by a clock that may be ahead of ours. */
static msec used_at(yyjson_val *key) {
    msec at = field_time(key, "last_used_at"), now = clock_unix();
    return at < now ? at : now;
}

static void keys_print(yyjson_val *keys) {
    static const char *const header[] = { "ID",     "NAME",    "PERMISSIONS",
                                          "MODELS", "EXPIRES", "LAST USED" };
    struct table table;
    size_t i, max;
    yyjson_val *key;
    table_init(&table, header, sizeof header / sizeof header[0]);
    yyjson_arr_foreach(keys, i, max, key) {
        table_add(&table, field_str(key, "id"));
        table_add(&table, field_str(key, "name"));
        add_words(&table, yyjson_obj_get(key, "permissions"), "");
        add_words(&table, yyjson_obj_get(key, "models"), "all");
        add_distance(&table, field_time(key, "expires_at"));
        add_distance(&table, used_at(key));
    }
    table_show(&table);
}

static enum cli_exit token_ls_run(const struct cli *cli, const void *values) {
    const struct token_ls_values *v = values;
    struct error err;
    yyjson_doc *answer = NULL;
    enum outcome outcome = client_get(cli, keys_path, &answer, &err);
    if (outcome != OUTCOME_DONE) return client_fail(outcome, &err);
    yyjson_val *root = yyjson_doc_get_root(answer), *keys = yyjson_obj_get(root, "keys");
    if (v->json)
        show_value(root);
    else if (yyjson_arr_size(keys) > 0)
        keys_print(keys);
    else
        fprintf(stderr, "There are no keys; create one with `%s token create <name>`.\n",
                cli->program);
    yyjson_doc_free(answer);
    return CLI_DONE;
}

const struct command command_token_ls = {
    COMMAND(token_ls, "token ls", NULL, 0, 0),
    .summary = "List the API keys, without the keys themselves",
};

/* --- token revoke --- */

struct token_revoke_values {
    bool open, json;
};

static const struct option_row token_revoke_options[] = {
    FLAG(token_revoke, open, "open", 0, "Even the last one: everybody may enter then"),
    FLAG(token_revoke, json, "json", 0, "Print the server's JSON"),
};

static enum cli_exit token_revoke_run(const struct cli *cli, const void *values) {
    const struct token_revoke_values *v = values;
    struct error err;
    yyjson_doc *answer = NULL;
    struct buf path = BUF_INIT(MAX_PATH);
    buf_addf(&path, "%s/", keys_path);
    percent_encode(&path, cli->args[0], PERCENT_UNRESERVED);
    if (v->open) buf_add_str(&path, "?open=true");
    struct call call = { .method = "DELETE", .path = buf_str(&path) };
    enum outcome outcome = client_call(cli, &call, &answer, &err);
    buf_clear(&path);
    if (outcome != OUTCOME_DONE) return client_fail(outcome, &err);
    if (v->json)
        show_value(yyjson_doc_get_root(answer));
    else
        printf("Revoked %s.\n", field_str(yyjson_doc_get_root(answer), "id"));
    yyjson_doc_free(answer);
    return CLI_DONE;
}

const struct command command_token_revoke = {
    COMMAND(token_revoke, "token revoke", "<id>", 1, 1),
    .summary = "Revoke an API key at once",
    .details = "The id is the first column of `doze token ls`. Running answers are "
               "finished.",
};
