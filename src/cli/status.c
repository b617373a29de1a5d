/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/show.h"

static enum cli_exit run(const struct cli *cli, const void *values, int argc, char **args) {
    (void)values, (void)argc, (void)args;
    struct inventory inv;
    struct error err;
    enum outcome outcome = inventory_fetch(cli, &inv, &err);
    if (outcome == OUTCOME_UNREACHABLE) puts("Server: OFF");
    if (outcome != OUTCOME_DONE) return client_fail(outcome, &err);
    printf("Server: ON (port: %d)\n\n", (int)cli->port.value);
    if (inv.instance_count == 0) {
        puts("No Models Loaded");
    } else {
        puts("Loaded Models");
        show_instances(&inv);
    }
    inventory_clear(&inv);
    return CLI_DONE;
}

const struct command command_status = {
    .name = "status",
    .args = "",
    .summary = "Show whether the server runs and what is loaded",
    .run = run,
};
