/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "base/json.h"
#include "cli/health.h"
#include "cli/show.h"

struct server_status_values {
    bool json;
};

static const struct option_row server_status_options[] = {
    FLAG(server_status, json, "json", 0, "Print JSON"),
};

/* health: NULL if the server is not running; inv: NULL if it does not tell what is loaded. */
static void server_status_print_json(const struct cli *cli, const struct health *health,
                                     const struct inventory *inv) {
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_obj_add_bool(doc, root, "running", health != NULL);
    if (health) {
        yyjson_mut_obj_add_int(doc, root, "port", cli->port.value);
        yyjson_mut_obj_add_int(doc, root, "pid", health->pid);
        yyjson_mut_obj_add_str(doc, root, "version", health->version);
    }
    if (inv) yyjson_mut_obj_add_uint(doc, root, "loaded", inv->instance_count);
    show_json(doc);
}

static void server_status_print(const struct cli *cli, const struct health *health,
                                const struct inventory *inv) {
    printf("The server is running on port %d (pid %lld, version %s", (int)cli->port.value,
           (long long)health->pid, health->version);
    if (inv) printf(", %zu loaded", inv->instance_count);
    puts(").");
}

/* /health needs no API key, the list of models does: without the key the server is still seen
 * to be running. */
static enum cli_exit server_status_run(const struct cli *cli, const void *values) {
    const struct server_status_values *v = values;
    struct health health;
    struct inventory inv = { 0 };
    struct error err;
    enum outcome outcome = health_fetch(cli, &health, &err);
    if (outcome == OUTCOME_UNREACHABLE && v->json) {
        server_status_print_json(cli, NULL, NULL);
        return CLI_UNREACHABLE;
    }
    if (outcome != OUTCOME_DONE) return client_fail(outcome, &err);
    outcome = inventory_fetch(cli, &inv, &err);
    bool locked = outcome == OUTCOME_REFUSED && err.code == ERR_API_KEY;
    if (outcome != OUTCOME_DONE && !locked) return client_fail(outcome, &err);
    (v->json ? server_status_print_json : server_status_print)(cli, &health,
                                                               locked ? NULL : &inv);
    inventory_clear(&inv);
    return CLI_DONE;
}

const struct command command_server_status = {
    COMMAND(server_status, "server status", NULL, 0, 0),
    .summary = "Show whether the server runs",
    .details = "Exit code 3 if it does not.",
};
