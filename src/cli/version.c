/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "cli/cli.h"

static enum cli_exit version_run(const struct cli *cli, const void *values) {
    (void)cli, (void)values;
    printf("doze %s\n", DOZE_VERSION);
    return CLI_DONE;
}

const struct command command_version = {
    .name = "version",
    .summary = "Show the version of this program",
    .run = version_run,
};
