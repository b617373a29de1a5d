/* SPDX-License-Identifier: MIT */
/* help.h - the texts of `doze help`, made from the tables of commands and options. */
#ifndef DOZE_CLI_HELP_H
#define DOZE_CLI_HELP_H

#include "base/buf.h"
#include "cli/cli.h"

/* Append the list of commands; group: only those that begin with this word ("server"), NULL:
 * all. */
void help_add_overview(const char *program, const char *group, struct buf *out);

/* Append one command's --help. */
void help_add_command(const char *program, const struct command *command, struct buf *out);

#endif
