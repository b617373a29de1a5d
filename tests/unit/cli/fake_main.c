/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "fake.h"

int main(int argc, char **argv) {
    return cli_main(argc, argv, fake_serve);
}
