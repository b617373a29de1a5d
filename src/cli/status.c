/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "base/json.h"
#include "cli/show.h"

struct status_values {
    bool json;
};

static const struct option_row status_options[] = {
    FLAG(status, json, "json", 0, "Print JSON"),
};

/* inv: NULL if the server is not running. */
static void status_print_json(const struct cli *cli, const struct inventory *inv) {
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_obj_add_bool(doc, root, "running", inv != NULL);
    if (inv) {
        yyjson_mut_obj_add_int(doc, root, "port", cli->port.value);
        show_add_instances(doc, yyjson_mut_obj_add_arr(doc, root, "instances"), inv);
    }
    show_json(doc);
}

static void status_print(const struct cli *cli, const struct inventory *inv) {
    printf("Server: ON (port: %d)\n\n", (int)cli->port.value);
    if (inv->instance_count == 0) {
        puts("No Models Loaded");
    } else {
        puts("Loaded Models");
        show_instances(inv);
    }
}

static enum cli_exit status_run(const struct cli *cli, const void *values) {
    const struct status_values *v = values;
    struct inventory inv;
    struct error err;
    enum outcome outcome = inventory_fetch(cli, &inv, &err);
    if (outcome == OUTCOME_UNREACHABLE && v->json) {
        status_print_json(cli, NULL);
        return CLI_UNREACHABLE;
    }
    if (outcome == OUTCOME_UNREACHABLE) puts("Server: OFF");
    if (outcome != OUTCOME_DONE) return client_fail(outcome, &err);
    if (v->json) {
        status_print_json(cli, &inv);
    } else {
        status_print(cli, &inv);
    }
    inventory_clear(&inv);
    return CLI_DONE;
}

const struct command command_status = {
    COMMAND(status, "status", NULL, 0, 0),
    .summary = "Show whether the server runs, and loaded models",
    .details = "Exit code 3 if it does not run.",
};
