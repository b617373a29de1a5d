/* SPDX-License-Identifier: MIT */
/* commands.h - the table of all commands, and running the one that the arguments name. */
#ifndef DOZE_CLI_COMMANDS_H
#define DOZE_CLI_COMMANDS_H

#include "cli/cli.h"

/* In the order of `doze help`. */
extern const struct command *const commands[];
extern const size_t command_count;

/* Run the command that argv names and return its exit code. serve: runs `doze serve`, with
 * argv[0] = "serve". */
int commands_main(int argc, char **argv, int (*serve)(int argc, char **argv));

#endif
