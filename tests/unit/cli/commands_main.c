/* SPDX-License-Identifier: MIT */
#include "commands_groups.h"

int main(void) {
    return run_commands() + run_chat() + run_server() == 0 ? 0 : 1;
}
