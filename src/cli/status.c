/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/show.h"

static enum cli_exit status_run(const struct cli *cli, const void *values) {
    (void)values;
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
    .summary = "Show whether the server runs and what is loaded",
    .run = status_run,
};
