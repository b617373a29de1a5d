/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/xalloc.h"
#include "cli/closest.h"
#include "cli/setting_table.h"
#include "cli/show.h"
#include "cli/table.h"

struct settings_values {
    bool json;
};

static const struct option_row settings_options[] = {
    FLAG(settings, json, "json", 0, "Print JSON"),
};

#define SETTINGS_ARGS "[get [<key>] | set <key> <value> | unset <key>]"

enum { MAX_VALUE = 1 << 20 };

static const char settings_path[] = "/api/v1/settings";

static void print_table(yyjson_val *root) {
    static const char *const header[] = { "SETTING", "VALUE", "MEANING" };
    struct table table;
    size_t i, max;
    yyjson_val *key, *val;
    table_init(&table, header, sizeof header / sizeof header[0]);
    yyjson_obj_foreach(root, i, max, key, val) {
        const struct setting *setting = setting_find(yyjson_get_str(key));
        struct buf text = BUF_INIT(MAX_VALUE);
        setting_format(setting, val, &text);
        table_add(&table, yyjson_get_str(key));
        table_add(&table, buf_str(&text));
        table_add(&table, setting ? setting->meaning : "");
        buf_clear(&text);
    }
    table_show(&table);
}

/* Names that a mistyped one may mean; "" if none is close. The caller clears the buffer. */
static struct buf close_names(const char *name) {
    const char **names = xcalloc(setting_table_count, sizeof *names);
    struct buf close = BUF_INIT(512);
    for (size_t i = 0; i < setting_table_count; i++) names[i] = setting_table[i].name;
    closest_add(name, names, setting_table_count, &close);
    free(names);
    return close;
}

/* otherwise: the sentence if no name is close. */
static enum cli_exit fail_unknown_key(const char *name, enum cli_exit code,
                                      const char *otherwise) {
    struct buf close = close_names(name);
    code = close.len ? cli_fail(code, "There is no setting '%s'; did you mean %s?", name,
                                buf_str(&close))
                     : cli_fail(code, "%s", otherwise);
    buf_clear(&close);
    return code;
}

/* What is set in it, one row for each value, however deep. path: "qwen3 " for its members. */
static void add_members(struct table *table, const char *path, yyjson_val *obj) {
    size_t i, max;
    yyjson_val *key, *val;
    yyjson_obj_foreach(obj, i, max, key, val) {
        struct buf name = BUF_INIT(MAX_VALUE), text = BUF_INIT(MAX_VALUE);
        buf_addf(&name, "%s%s", path, yyjson_get_str(key));
        if (yyjson_is_obj(val)) {
            buf_add_str(&name, " ");
            add_members(table, buf_str(&name), val);
        } else if (!yyjson_is_null(val)) {
            setting_format(NULL, val, &text);
            table_add(table, buf_str(&name));
            table_add(table, buf_str(&text));
        }
        buf_clear(&name);
        buf_clear(&text);
    }
}

static void print_members(const char *name, yyjson_val *obj) {
    static const char *const header[] = { "MEMBER", "VALUE" };
    struct table table;
    table_init(&table, header, sizeof header / sizeof header[0]);
    add_members(&table, "", obj);
    if (table.cells > table.columns) {
        table_show(&table);
        return;
    }
    printf("Nothing is set in %s.\n", name);
    table_clear(&table);
}

/* For scripts: as the server has it, in seconds and bytes; a string without quotes unless JSON
 * is wanted. What has members is a table then, too. */
static enum cli_exit print_one(yyjson_val *root, const char *name, bool json) {
    yyjson_val *val = yyjson_obj_get(root, name);
    if (!val) {
        char none[256];
        snprintf(none, sizeof none,
                 "There is no setting '%.100s'; `doze settings` lists them all.", name);
        return fail_unknown_key(name, CLI_FAILED, none);
    }
    if (yyjson_is_str(val) && !json)
        puts(yyjson_get_str(val));
    else if (yyjson_is_obj(val) && !json)
        print_members(name, val);
    else
        show_value(val);
    return CLI_DONE;
}

static enum cli_exit settings_get(const struct cli *cli, const char *name, bool json) {
    yyjson_doc *answer = NULL;
    struct error err;
    enum outcome outcome = client_get(cli, settings_path, &answer, &err);
    enum cli_exit code = CLI_DONE;
    if (outcome != OUTCOME_DONE) return client_fail(outcome, &err);
    yyjson_val *root = yyjson_doc_get_root(answer);
    if (name) {
        code = print_one(root, name, json);
    } else if (json) {
        show_value(root);
    } else {
        print_table(root);
    }
    yyjson_doc_free(answer);
    return code;
}

/* val belongs to body. */
static enum cli_exit settings_patch(const struct cli *cli, const char *name,
                                    yyjson_mut_doc *body, yyjson_mut_val *val, bool json) {
    yyjson_doc *answer = NULL;
    struct error err;
    yyjson_mut_val *key = yyjson_mut_strcpy(body, name);
    yyjson_mut_obj_add(yyjson_mut_doc_get_root(body), key, val);
    struct call call = { .method = "PATCH", .path = settings_path, .body = body };
    enum outcome outcome = client_call(cli, &call, &answer, &err);
    if (outcome == OUTCOME_REFUSED && !setting_find(name))
        return fail_unknown_key(name, CLI_FAILED, err.text);
    if (outcome != OUTCOME_DONE) return client_fail(outcome, &err);
    enum cli_exit code = print_one(yyjson_doc_get_root(answer), name, json);
    yyjson_doc_free(answer);
    return code;
}

static enum cli_exit settings_set(const struct cli *cli, const char *name, const char *value,
                                  bool json) {
    yyjson_mut_val *root;
    yyjson_mut_doc *body = json_object_new(&root);
    struct error err;
    yyjson_mut_val *val = setting_parse(setting_find(name), value, body, &err);
    enum cli_exit code = val ? settings_patch(cli, name, body, val, json)
                             : cli_fail(CLI_USAGE, "%s", err.text);
    yyjson_mut_doc_free(body);
    return code;
}

/* Set it to its default. */
static enum cli_exit settings_unset(const struct cli *cli, const char *name, bool json) {
    const struct setting *setting = setting_find(name);
    if (!setting) {
        char none[256];
        snprintf(none, sizeof none, "The default of '%.100s' is not known.", name);
        return fail_unknown_key(name, CLI_USAGE, none);
    }
    yyjson_mut_val *root;
    yyjson_mut_doc *body = json_object_new(&root);
    struct error ignored;
    yyjson_mut_val *val = setting_parse(NULL, setting->initial, body, &ignored);
    enum cli_exit code = settings_patch(cli, name, body, val, json);
    yyjson_mut_doc_free(body);
    return code;
}

static enum cli_exit settings_run(const struct cli *cli, const void *values) {
    const struct settings_values *v = values;
    char **args = cli->args;
    int count = cli->arg_count;
    const char *word = count > 0 ? args[0] : "get";
    if (strcmp(word, "get") == 0 && count <= 2) {
        return settings_get(cli, count == 2 ? args[1] : NULL, v->json);
    }
    if (strcmp(word, "set") == 0 && count == 3) {
        return settings_set(cli, args[1], args[2], v->json);
    }
    if (strcmp(word, "unset") == 0 && count == 2) return settings_unset(cli, args[1], v->json);
    return cli_fail(CLI_USAGE,
                    "Usage: %s settings " SETTINGS_ARGS "; see `%s settings --help`.",
                    cli->program, cli->program);
}

const struct command command_settings = {
    COMMAND(settings, "settings", SETTINGS_ARGS, 0, 3),
    .summary = "Show or change the server's settings",
    .details = "Values are on and off, spans (10m, 1h30m), sizes (8GB), none, words or JSON, "
               "as the setting needs. `get` and --json print them as the API has them: true, "
               "600, 8000000000, null; but settings with members are tables without --json. "
               "`unset` restores the default. A change takes effect "
               "at once and survives a restart.",
};
