/* SPDX-License-Identifier: MIT */
#include "cli/commands.h"
#include "daemon/serve.h"

int main(int argc, char **argv) {
    return commands_main(argc, argv, daemon_serve);
}
