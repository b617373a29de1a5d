/* SPDX-License-Identifier: MIT */
/* runtime.c - LM Studio's `lms runtime`, as far as it has a meaning with one engine. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/size.h"
#include "cli/client.h"
#include "cli/fields.h"
#include "cli/show.h"
#include "cli/table.h"

struct runtime_values {
    bool json;
};

static const struct option_row runtime_options[] = {
    FLAG(runtime, json, "json", 0, "Print JSON"),
};

static enum cli_exit ask(const struct cli *cli, yyjson_doc **ret_answer) {
    struct error err;
    return client_fail(client_get(cli, "/api/v1/runtime", ret_answer, &err), &err);
}

/* Show the server's answer, as JSON or with `print`. */
static enum cli_exit show(const struct cli *cli, bool json, void (*print)(yyjson_val *root)) {
    yyjson_doc *answer = NULL;
    enum cli_exit code = ask(cli, &answer);
    if (code != CLI_DONE) return code;
    if (json)
        show_value(yyjson_doc_get_root(answer));
    else
        print(yyjson_doc_get_root(answer));
    yyjson_doc_free(answer);
    return CLI_DONE;
}

static void print_engine(yyjson_val *root) {
    static const char *const header[] = { "ENGINE", "VERSION", "SELECTED", "FORMAT" };
    struct table table;
    table_init(&table, header, sizeof header / sizeof header[0]);
    table_add(&table, field_str(root, "name"));
    table_add(&table, field_str(root, "version"));
    table_add(&table, "✓");
    table_add(&table, "GGUF");
    table_show(&table);
}

static enum cli_exit runtime_ls_run(const struct cli *cli, const void *values) {
    return show(cli, ((const struct runtime_values *)values)->json, print_engine);
}

static void print_machine(yyjson_val *root) {
    yyjson_val *cpu = yyjson_obj_get(root, "cpu"), *memory = yyjson_obj_get(root, "memory");
    yyjson_val *list = yyjson_obj_get(cpu, "extensions"), *extension;
    char total[SIZE_TEXT], available[SIZE_TEXT];
    size_t i, max;
    size_format(field_bytes(memory, "total_bytes"), total);
    size_format(field_bytes(memory, "available_bytes"), available);
    printf("Survey by %s (%s).\n", field_str(root, "name"), field_str(root, "version"));
    printf("CPU: %s (", field_str(cpu, "architecture"));
    yyjson_arr_foreach(list, i, max, extension) {
        printf("%s%s", i ? ", " : "", yyjson_get_str(extension));
    }
    printf(")\nRAM: %s, %s available\n", total, available);
}

static enum cli_exit runtime_survey_run(const struct cli *cli, const void *values) {
    return show(cli, ((const struct runtime_values *)values)->json, print_machine);
}

static enum cli_exit fail_one_engine(const struct cli *cli, const char *name) {
    return cli_fail(CLI_FAILED,
                    "doze has one engine%s%s; to use another llama.cpp, build doze with "
                    "DOZE_LLAMA_DIR (CONTRIBUTING.md). `%s runtime ls` shows it.",
                    *name ? ", " : "", name, cli->program);
}

/* The engine's name, or the beginning of it, is selected already. */
static enum cli_exit runtime_select_run(const struct cli *cli, const void *values) {
    yyjson_doc *answer = NULL;
    (void)values;
    enum cli_exit code = ask(cli, &answer);
    if (code != CLI_DONE) return code;
    const char *name = field_str(yyjson_doc_get_root(answer), "name");
    bool same = cli->arg_count == 0 ||
                strncmp(name, cli->args[0], strcspn(cli->args[0], "@")) == 0;
    if (same)
        printf("%s is selected.\n", name);
    else
        code = fail_one_engine(cli, name);
    yyjson_doc_free(answer);
    return code;
}

/* `runtime get`, `update` and `remove`. */
static enum cli_exit runtime_fixed_run(const struct cli *cli, const void *values) {
    (void)values;
    return fail_one_engine(cli, "");
}

#define RUNTIME_COMMAND(name_, args_, max_, run_)                                              \
    .name = (name_), .args = (args_), .max_args = (max_), .options = runtime_options,          \
    .option_count = sizeof runtime_options / sizeof runtime_options[0],                        \
    .values_size = sizeof(struct runtime_values), .hidden = true, .run = (run_)

const struct command command_runtime_ls = {
    RUNTIME_COMMAND("runtime ls", NULL, 0, runtime_ls_run),
    .summary = "Show the engine",
};
const struct command command_runtime_survey = {
    RUNTIME_COMMAND("runtime survey", NULL, 0, runtime_survey_run),
    .summary = "Show the machine that the engine runs on",
};
const struct command command_runtime_select = {
    RUNTIME_COMMAND("runtime select", "[<engine>]", 1, runtime_select_run),
    .summary = "Confirm the engine; doze has one",
};
const struct command command_runtime_get = {
    RUNTIME_COMMAND("runtime get", "[<engine>]", 1, runtime_fixed_run),
    .summary = "Say why there is no other engine to get",
};
const struct command command_runtime_update = {
    RUNTIME_COMMAND("runtime update", "[<engine>]", 1, runtime_fixed_run),
    .summary = "Say how the engine is updated",
};
const struct command command_runtime_remove = {
    RUNTIME_COMMAND("runtime remove", "[<engine>]", 1, runtime_fixed_run),
    .summary = "Say why the engine cannot be removed",
};
