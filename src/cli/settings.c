/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/xalloc.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/closest.h"
#include "cli/show.h"
#include "cli/table.h"

struct settings_values {
    bool json;
};

#define SETTINGS_ARGS "[get [<key>] | set <key> <value>]"

static const struct option_row settings_options[] = {
    FLAG(settings, json, "json", 0, "Print JSON"),
};

enum { MAX_VALUE = 1 << 20 };

/* The settings as the server has them; *ret_doc is the caller's. */
static enum outcome settings_call(const struct cli *cli, const char *method, const char *body,
                                  yyjson_doc **ret_doc, struct error *err) {
    struct call call = {
        .method = method, .path = "/api/v1/settings", .body = body, .cancel_fd = -1
    };
    struct buf answer = BUF_INIT(CLIENT_MAX_BODY);
    enum outcome outcome = client_call(cli, &call, &answer, err);
    if (outcome == OUTCOME_DONE) {
        *ret_doc = json_parse_object(buf_str(&answer), answer.len, err);
        if (!*ret_doc) outcome = OUTCOME_BROKEN;
    }
    buf_clear(&answer);
    return outcome;
}

/* A string as it is, everything else as JSON. */
static char *value_format(const yyjson_val *val, bool json) {
    struct buf text = BUF_INIT(MAX_VALUE);
    yyjson_val *v = (yyjson_val *)(uintptr_t)val;
    if (yyjson_is_str(v) && !json) {
        buf_add(&text, yyjson_get_str(v), yyjson_get_len(v));
    } else {
        json_write_val(val, &text);
    }
    return buf_take(&text);
}

static enum cli_exit print_all(yyjson_val *settings, bool json) {
    static const char *const header[] = { "SETTING", "VALUE" };
    struct table table;
    size_t i, max;
    yyjson_val *key, *val;
    if (json) {
        char *text = value_format(settings, true);
        puts(text);
        free(text);
        return CLI_DONE;
    }
    table_init(&table, header, 2);
    yyjson_obj_foreach(settings, i, max, key, val) {
        char *text = value_format(val, false);
        table_add(&table, yyjson_get_str(key));
        table_add(&table, text);
        free(text);
    }
    table_print(&table, stdout);
    table_clear(&table);
    return CLI_DONE;
}

static enum cli_exit tell_no_key(yyjson_val *settings, const char *name) {
    const char **names = xcalloc(yyjson_obj_size(settings), sizeof *names);
    struct buf close = BUF_INIT(512);
    size_t i, max;
    yyjson_val *key, *val;
    yyjson_obj_foreach(settings, i, max, key, val) names[i] = yyjson_get_str(key);
    closest_add(name, names, yyjson_obj_size(settings), &close);
    enum cli_exit code = close.len ? cli_fail(CLI_FAILED,
                                              "There is no setting '%s'; did you mean %s?",
                                              name, buf_str(&close))
                                   : cli_fail(CLI_FAILED, "There is no setting '%s'.", name);
    buf_clear(&close);
    free(names);
    return code;
}

static enum cli_exit print_one(yyjson_val *settings, const char *name, bool json) {
    yyjson_val *val = yyjson_obj_get(settings, name);
    if (!val) return tell_no_key(settings, name);
    char *text = value_format(val, json);
    puts(text);
    free(text);
    return CLI_DONE;
}

/* {"name": value}; the value is JSON if it can be read as such, else a string. */
static void patch_format(const char *name, const char *value, struct buf *out) {
    struct error ignored;
    yyjson_doc *doc = json_parse(value, strlen(value), &ignored);
    buf_add_str(out, "{");
    json_write_str(out, name, strlen(name));
    buf_add_str(out, ":");
    if (doc) {
        json_write_val(yyjson_doc_get_root(doc), out);
    } else {
        json_write_str(out, value, strlen(value));
    }
    buf_add_str(out, "}");
    yyjson_doc_free(doc);
}

static enum cli_exit set_one(const struct cli *cli, const char *name, const char *value,
                             bool json) {
    struct buf patch = BUF_INIT(MAX_VALUE);
    yyjson_doc *doc = NULL;
    struct error err;
    patch_format(name, value, &patch);
    enum outcome outcome = settings_call(cli, "PATCH", buf_str(&patch), &doc, &err);
    buf_clear(&patch);
    if (outcome != OUTCOME_DONE) return client_fail(outcome, &err);
    enum cli_exit code = print_one(yyjson_doc_get_root(doc), name, json);
    yyjson_doc_free(doc);
    return code;
}

static enum cli_exit get_any(const struct cli *cli, const char *name, bool json) {
    yyjson_doc *doc = NULL;
    struct error err;
    enum outcome outcome = settings_call(cli, "GET", NULL, &doc, &err);
    if (outcome != OUTCOME_DONE) return client_fail(outcome, &err);
    yyjson_val *root = yyjson_doc_get_root(doc);
    enum cli_exit code = name ? print_one(root, name, json) : print_all(root, json);
    yyjson_doc_free(doc);
    return code;
}

static enum cli_exit settings_run(const struct cli *cli, const void *values) {
    const struct settings_values *v = values;
    if (cli->arg_count == 0) return get_any(cli, NULL, v->json);
    if (strcmp(cli->args[0], "get") == 0 && cli->arg_count <= 2) {
        return get_any(cli, cli->arg_count == 2 ? cli->args[1] : NULL, v->json);
    }
    if (strcmp(cli->args[0], "set") == 0 && cli->arg_count == 3)
        return set_one(cli, cli->args[1], cli->args[2], v->json);
    return cli_fail(CLI_USAGE,
                    "Usage: %s settings " SETTINGS_ARGS "; see `%s settings --help`.",
                    cli->program, cli->program);
}

const struct command command_settings = {
    .name = "settings",
    .args = SETTINGS_ARGS,
    .summary = "Show or change the server's settings",
    .details =
        "A value is read as JSON (true, 300, null), else as a word (fit). Changes take effect\n"
        "at once and survive a restart. Put -- before a negative number.",
    COMMAND_OPTIONS(settings),
    .max_args = 3,
    .run = settings_run,
};
