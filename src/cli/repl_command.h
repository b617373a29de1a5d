/* SPDX-License-Identifier: MIT */
/* repl_command.h - the commands of a conversation, lines such as "/set temperature 0". */
#ifndef DOZE_CLI_REPL_COMMAND_H
#define DOZE_CLI_REPL_COMMAND_H

#include "cli/chat.h"

enum repl_command {
    REPL_TEXT, /* no command: the line is for the model */
    REPL_DONE, /* carried out, or refused with a sentence on stderr */
    REPL_BYE,  /* the conversation ends */
};

/* Carry out the line if it is a command: one "/" and a word. A path ("/etc/fstab") is none. */
enum repl_command repl_command(struct chat *chat, const char *line);

#endif
