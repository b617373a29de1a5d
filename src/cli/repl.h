/* SPDX-License-Identifier: MIT */
/* repl.h - the conversation on a terminal: a prompt, a line, an answer, again. */
#ifndef DOZE_CLI_REPL_H
#define DOZE_CLI_REPL_H

#include "cli/chat.h"

/* Read questions from stdin until its end (Ctrl-D) or "/exit". Ctrl-C stops an answer. A
 * question that fails is told and the conversation goes on, unless the server is gone. */
enum cli_exit repl_run(struct chat *chat);

#endif
