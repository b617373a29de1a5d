/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"

#include <stdarg.h>
#include <stdio.h>

const struct option_row cli_global_options[] = {
    OPTION_IN(struct cli, host, "host", 0, "<host>", "Server to ask (127.0.0.1, or DOZE_HOST)"),
    OPTION_IN(struct cli, port, "port", 'p', "<port>", "Its port (1234, or DOZE_PORT)",
              .max = 65535),
    OPTION_IN(struct cli, help, "help", 'h', NULL, "Show this help"),
};
const size_t cli_global_option_count = sizeof cli_global_options / sizeof cli_global_options[0];

enum cli_exit cli_fail(enum cli_exit code, const char *fmt, ...) {
    va_list args;
    fflush(stdout);
    fputs("doze: ", stderr);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
    return code;
}
