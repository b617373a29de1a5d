/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "cli/commands.h"

static enum cli_exit run(const struct cli *cli, const void *values, int argc, char **args) {
    (void)cli, (void)values, (void)argc, (void)args;
    printf("doze %s\n", DOZE_VERSION);
    return CLI_DONE;
}

const struct command command_version = {
    .name = "version",
    .args = "",
    .summary = "Show the version of this program",
    .run = run,
};
