/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/health.h"
#include "cli/inventory.h"
#include "cli/show.h"

struct status_values {
    bool json;
};

static const struct option_row status_options[] = {
    FLAG(status, json, "json", 0, "Print JSON"),
};

static void print_json(const struct cli *cli, const struct health *health, size_t loaded) {
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, root);
    yyjson_mut_obj_add_bool(doc, root, "running", health != NULL);
    if (health) {
        yyjson_mut_obj_add_int(doc, root, "port", cli->port.value);
        yyjson_mut_obj_add_int(doc, root, "pid", health->pid);
        yyjson_mut_obj_add_str(doc, root, "version", health->version);
        yyjson_mut_obj_add_uint(doc, root, "loaded", loaded);
    }
    show_json(doc);
}

static enum cli_exit status_run(const struct cli *cli, const void *values) {
    const struct status_values *v = values;
    struct health health;
    struct inventory inv;
    struct error err;
    enum outcome outcome = health_fetch(cli, &health, &err);
    if (outcome == OUTCOME_DONE) outcome = inventory_fetch(cli, &inv, &err);
    if (outcome == OUTCOME_UNREACHABLE) {
        if (v->json) print_json(cli, NULL, 0);
        return v->json ? CLI_UNREACHABLE : client_fail(outcome, &err);
    }
    if (outcome != OUTCOME_DONE) return client_fail(outcome, &err);
    if (v->json) {
        print_json(cli, &health, inv.instance_count);
    } else {
        printf("The server is running on port %d (pid %lld, version %s, %zu loaded).\n",
               (int)cli->port.value, (long long)health.pid, health.version, inv.instance_count);
    }
    inventory_clear(&inv);
    return CLI_DONE;
}

const struct command command_server_status = {
    .name = "server status",
    .summary = "Show whether the server runs",
    .details = "Exit code 3 if it does not.",
    COMMAND_OPTIONS(status),
    .run = status_run,
};
