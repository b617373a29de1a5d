/* SPDX-License-Identifier: MIT */
/* engine.c - `doze engine ls`, `install` and `use`: the engines that run models. */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/engine_places.h"
#include "base/json.h"
#include "base/own_file.h"
#include "base/size.h"
#include "cli/client.h"
#include "cli/fields.h"
#include "cli/show.h"
#include "cli/table.h"

enum { DEVICES_TEXT = 1024 };

/* --- engine ls --- */

struct engine_ls_values {
    bool json;
};

static const struct option_row engine_ls_options[] = {
    FLAG(engine_ls, json, "json", 0, "Print the server's JSON"),
};

/* "AMD Radeon RX 7900 (17.16 GB)", or why there is none. */
static void write_devices(yyjson_val *engine, struct buf *out) {
    yyjson_val *devices = yyjson_obj_get(engine, "devices"), *device;
    size_t i, max;
    yyjson_arr_foreach(devices, i, max, device) {
        char size[SIZE_TEXT];
        size_format(field_bytes(device, "total_bytes"), size);
        buf_addf(out, "%s%s (%s)", i ? ", " : "", field_str(device, "description"), size);
    }
    if (out->len == 0) buf_addf(out, "%s", field_str(engine, "problem"));
}

static void print_engines(yyjson_val *root) {
    static const char *const header[] = { "ENGINE", "INSTALLED", "CHOSEN", "DEVICES" };
    yyjson_val *engines = yyjson_obj_get(root, "engines"), *engine;
    struct table table;
    size_t i, max;
    table_init(&table, header, sizeof header / sizeof header[0]);
    yyjson_arr_foreach(engines, i, max, engine) {
        struct buf devices = BUF_INIT(DEVICES_TEXT);
        write_devices(engine, &devices);
        table_add(&table, field_str(engine, "name"));
        table_add(&table, yyjson_get_bool(yyjson_obj_get(engine, "installed")) ? "yes" : "no");
        table_add(&table, yyjson_get_bool(yyjson_obj_get(engine, "chosen")) ? "✓" : "");
        table_add(&table, buf_str(&devices));
        buf_clear(&devices);
    }
    table_show(&table);
    fprintf(stderr, "The setting 'engine' is %s: %s is used.\n%s\n", field_str(root, "engine"),
            field_str(root, "chosen"), field_str(root, "why"));
}

static enum cli_exit show_engines(const struct cli *cli, bool json) {
    struct error err;
    yyjson_doc *answer = NULL;
    enum outcome outcome = client_get(cli, "/api/v1/system", &answer, &err);
    if (outcome != OUTCOME_DONE) return client_fail(outcome, &err);
    if (json)
        show_value(yyjson_doc_get_root(answer));
    else
        print_engines(yyjson_doc_get_root(answer));
    yyjson_doc_free(answer);
    return CLI_DONE;
}

static enum cli_exit engine_ls_run(const struct cli *cli, const void *values) {
    return show_engines(cli, ((const struct engine_ls_values *)values)->json);
}

const struct command command_engine_ls = {
    COMMAND(engine_ls, "engine ls", NULL, 0, 0),
    .summary = "List the engines and their devices",
    .details = "The engines that the server can use, the devices that they find, and which one "
               "it has chosen.",
};

/* --- engine use --- */

struct engine_use_values {
    bool json;
};

static const struct option_row engine_use_options[] = {
    FLAG(engine_use, json, "json", 0, "Print the server's JSON"),
};

static enum cli_exit engine_use_run(const struct cli *cli, const void *values) {
    struct error err;
    yyjson_mut_val *root;
    yyjson_mut_doc *body = json_object_new(&root);
    yyjson_mut_obj_add_str(body, root, "engine", cli->args[0]);
    struct call call = { .method = "PATCH", .path = "/api/v1/settings", .body = body };
    enum outcome outcome = client_call(cli, &call, NULL, &err);
    yyjson_mut_doc_free(body);
    if (outcome != OUTCOME_DONE) return client_fail(outcome, &err);
    return show_engines(cli, ((const struct engine_use_values *)values)->json);
}

const struct command command_engine_use = {
    COMMAND(engine_use, "engine use", "auto|cpu|vulkan|cuda", 1, 1),
    .summary = "Choose the engine for models",
    .details = "Sets the setting 'engine'. Loaded models stay as they are; the next load uses "
               "the engine.",
};

/* --- engine install --- */

struct engine_install_values {
    const char *from;
};

static const struct option_row engine_install_options[] = {
    OPTION(engine_install, from, "from", 0, "<file>", "Its package, instead of fetching it"),
};

/* The exit status of the set-up's script, or -1 with a reason. */
static int run_script(char *script, char *variant, char *folder, const char *from,
                      struct error *err) {
    static char shell[] = "/bin/sh";
    char *args[] = { shell, script, variant, folder, (char *)(uintptr_t)from, NULL };
    pid_t pid;
    int status = 0;
    int reason = posix_spawn(&pid, shell, NULL, NULL, args, environ);
    while (reason == 0 && waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) reason = errno;
    }
    if (reason == 0) return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
    error_set(err, ERR_IO, "%s cannot be run: %s.", script, strerror(reason));
    return -1;
}

static enum cli_exit engine_install_run(const struct cli *cli, const void *values) {
    const struct engine_install_values *v = values;
    struct error err;
    char *script = own_file("engine-variant.sh", &err), *folder = engine_place_to_install();
    int status = script ? run_script(script, cli->args[0], folder, v->from, &err) : -1;
    if (status < 0) cli_fail(CLI_FAILED, "%s", err.text);
    if (status == 0)
        printf("%s is in %s; `%s engine ls` shows whether a server uses it.\n", cli->args[0],
               folder, cli->program);
    free(script);
    free(folder);
    return status == 0 ? CLI_DONE : CLI_FAILED;
}

const struct command command_engine_install = {
    COMMAND(engine_install, "engine install", "vulkan|cuda", 1, 1),
    .summary = "Install an engine for graphics cards",
    .details =
        "Fetches the package with npm, or takes the file of it that you have, and checks "
        "it against the checksum that came with doze. For root it is installed for all "
        "users, else for this one. A running server finds it on its own.",
};
