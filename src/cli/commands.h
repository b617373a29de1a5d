/* SPDX-License-Identifier: MIT */
/* commands.h - the list of commands, each defined in the file of its name. */
#ifndef DOZE_CLI_COMMANDS_H
#define DOZE_CLI_COMMANDS_H

#include "cli/cli.h"

extern const struct command command_chat;
extern const struct command command_load;
extern const struct command command_log;
extern const struct command command_log_stream;
extern const struct command command_ls;
extern const struct command command_prompts_clear;
extern const struct command command_prompts_ls;
extern const struct command command_ps;
extern const struct command command_server_start;
extern const struct command command_server_status;
extern const struct command command_server_stop;
extern const struct command command_settings;
extern const struct command command_status;
extern const struct command command_unload;
extern const struct command command_version;

/* All of them, in the order of the help. `serve` and `help` are not among them: the first
 * parses its own arguments, the second is answered by help.h. */
extern const struct command *const commands[];
extern const size_t command_count;

/* The command that the words of argv (argc of them) begin with; *ret_words: how many words its
 * name takes. NULL if there is none. */
const struct command *command_find(int argc, char **argv, int *ret_words);

/* Is `word` the first of a two-word command ("server")? */
bool command_is_group(const char *word);

/* Append up to three names close to `word`, as "'ps' or 'ls'"; nothing if none is close. */
void command_add_close(const char *word, struct buf *out);

#endif
