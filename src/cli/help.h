/* SPDX-License-Identifier: MIT */
/* help.h - the texts of `doze help`, generated from tables of commands and options. Pure. */
#ifndef DOZE_CLI_HELP_H
#define DOZE_CLI_HELP_H

#include "base/buf.h"
#include "cli/cli.h"

/* Append the list of commands. group: only those that begin with this word ("server"); NULL:
 * all of them. */
void help_add_overview(const char *program, const struct command *const *commands, size_t count,
                       const char *group, struct buf *out);

/* Append one command's --help. */
void help_add_command(const char *program, const struct command *command, struct buf *out);

#endif
