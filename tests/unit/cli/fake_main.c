/* SPDX-License-Identifier: MIT */
#include "cli/commands.h"
#include "fake.h"

int main(int argc, char **argv) {
    return commands_main(argc, argv, fake_serve);
}
