/* SPDX-License-Identifier: MIT */
/* repl.h - the conversation on a terminal: prompt, line, answer, and again. */
#ifndef DOZE_CLI_REPL_H
#define DOZE_CLI_REPL_H

#include "cli/chat.h"

/* Read questions from stdin until Ctrl-D or "/bye". Ctrl-C stops an answer. The error of a
 * question is printed and the conversation goes on, unless the server cannot be reached. */
enum cli_exit repl_run(struct chat *chat);

#endif
