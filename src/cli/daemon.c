/* SPDX-License-Identifier: MIT */
/* daemon.c - LM Studio's `lms daemon`: the server in the background by another name. */
#include <stdio.h>

#include "base/json.h"
#include "cli/health.h"
#include "cli/server_start.h"
#include "cli/show.h"

struct daemon_values {
    bool json, beta;
};

static const struct option_row daemon_options[] = {
    FLAG(daemon, json, "json", 0, "Print JSON"),
};
static const struct option_row daemon_update_options[] = {
    FLAG(daemon, beta, "beta", 0, "Of LM Studio's command; doze has no channels"),
};

extern const struct command command_server_stop;

/* The words of LM Studio's answer. */
static void print_json(const struct health *health) {
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_obj_add_str(doc, root, "status", health ? "running" : "not-running");
    if (health) {
        yyjson_mut_obj_add_int(doc, root, "pid", health->pid);
        yyjson_mut_obj_add_bool(doc, root, "isDaemon", true);
        yyjson_mut_obj_add_str(doc, root, "version", health->version);
    }
    show_json(doc);
}

static void print_running(const struct daemon_values *v, const struct health *health) {
    if (v->json)
        print_json(health);
    else
        printf("doze is running (pid %lld, version %s).\n", (long long)health->pid,
               health->version);
}

static enum cli_exit daemon_up_run(const struct cli *cli, const void *values) {
    struct health health;
    enum cli_exit code = server_start_quietly(cli, &health);
    if (code == CLI_DONE) print_running(values, &health);
    return code;
}

static enum cli_exit daemon_status_run(const struct cli *cli, const void *values) {
    const struct daemon_values *v = values;
    struct health health;
    struct error err;
    enum outcome outcome = health_fetch(cli, &health, &err);
    if (outcome == OUTCOME_UNREACHABLE && v->json) {
        print_json(NULL);
        return CLI_UNREACHABLE;
    }
    if (outcome != OUTCOME_DONE) return client_fail(outcome, &err);
    print_running(v, &health);
    return CLI_DONE;
}

static enum cli_exit daemon_down_run(const struct cli *cli, const void *values) {
    (void)values;
    return command_server_stop.run(cli, NULL);
}

static enum cli_exit daemon_update_run(const struct cli *cli, const void *values) {
    (void)cli;
    (void)values;
    return cli_fail(CLI_FAILED, "doze does not update itself; update it the way it was "
                                "installed, then restart the server.");
}

#define DAEMON_COMMAND(name_, options_, run_)                                                  \
    .name = (name_), .options = (options_),                                                    \
    .option_count = sizeof(options_) / sizeof *(options_),                                     \
    .values_size = sizeof(struct daemon_values), .hidden = true, .run = (run_)

const struct command command_daemon_up = {
    DAEMON_COMMAND("daemon up", daemon_options, daemon_up_run),
    .summary = "Start the server in the background",
};
const struct command command_daemon_status = {
    DAEMON_COMMAND("daemon status", daemon_options, daemon_status_run),
    .summary = "Show whether the server runs",
    .details = "Exit code 3 if it does not.",
};
const struct command command_daemon_down = {
    .name = "daemon down",
    .summary = "Stop the server and wait until it has ended",
    .hidden = true,
    .run = daemon_down_run,
};
const struct command command_daemon_update = {
    DAEMON_COMMAND("daemon update", daemon_update_options, daemon_update_run),
    .summary = "Say how doze is updated",
};
