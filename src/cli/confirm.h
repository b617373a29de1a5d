/* SPDX-License-Identifier: MIT */
/* confirm.h - asks a person on a terminal whether to go on. */
#ifndef DOZE_CLI_CONFIRM_H
#define DOZE_CLI_CONFIRM_H

#include <stdbool.h>

/* What an empty line means. */
enum confirm_default { CONFIRM_NO, CONFIRM_YES };

/* Print the question on stderr with "(y/N)? " or "(Y/n)? " behind it, and read a line of stdin.
 * False for anything but a yes, and at the end of stdin. */
bool confirm_ask(const char *question, enum confirm_default otherwise);

#endif
