/* SPDX-License-Identifier: MIT */
/* commands_groups.h - the groups of tests that run the command line. */
#ifndef DOZE_TESTS_COMMANDS_GROUPS_H
#define DOZE_TESTS_COMMANDS_GROUPS_H

int run_commands(void);
int run_chat(void);
int run_server(void);

#endif
