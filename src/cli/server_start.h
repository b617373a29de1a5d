/* SPDX-License-Identifier: MIT */
/* server_start.h - a server in the background, for the commands that need one. */
#ifndef DOZE_CLI_SERVER_START_H
#define DOZE_CLI_SERVER_START_H

#include "cli/cli.h"
#include "cli/health.h"

/* See that a server runs where the commands look for one, and start it if none does. Prints the
 * error, if there is one, and nothing else. *ret_health is written on CLI_DONE. */
enum cli_exit server_start_quietly(const struct cli *cli, struct health *ret_health);

#endif
