/* SPDX-License-Identifier: MIT */
/*
 * cli.h - what every command of the command line has in common.
 *
 * A command is a file that defines one `const struct command`; commands.c lists them all and
 * calls the one that was asked for. A command talks to a running server over HTTP and knows
 * nothing else about it. Results go to stdout; progress, questions and errors to stderr, an
 * error as one line "doze: ...".
 */
#ifndef DOZE_CLI_CLI_H
#define DOZE_CLI_CLI_H

#include <stddef.h>

#include "cli/options.h"

enum cli_exit { CLI_DONE, CLI_FAILED, CLI_USAGE, CLI_UNREACHABLE };

/* What a command is called with, apart from its own options. */
struct cli {
    const char *program; /* "doze", or "lms" when called by that name */
    const char *host;    /* as given; may be a listening address such as 0.0.0.0 */
    struct option_int port;
    bool help;
    int arg_count; /* arguments left after the options: min_args to max_args of the command */
    char **args;
    int (*serve)(int argc, char **argv); /* runs `doze serve`; argv[0] is "serve" */
};

struct command {
    const char *name;    /* one word or two: "server start" */
    const char *args;    /* in the usage line: "<model>"; NULL: takes none */
    const char *summary; /* without a full stop; at most 48 columns, so that help fits in 80 */
    const char *details; /* a paragraph of --help; NULL: none */
    const struct option_row *options;
    size_t option_count;
    size_t values_size; /* of the struct that the options fill, zeroed before */
    int min_args, max_args;
    bool hidden; /* left out of the list of all commands; `help <first word>` has it */
    /* NULL for `serve`, which reads its own arguments. */
    enum cli_exit (*run)(const struct cli *cli, const void *values);
};

/* The first part of a command's initializer: its name, what it takes ("<model>" or NULL), the
 * fewest and the most of these arguments; and what the command "x" is made of: struct x_values,
 * the table x_options of rows OPTION(x, ...) and FLAG(x, ...), and the function x_run. */
#define COMMAND(x, name_, args_, min_, max_)                                                   \
    .name = (name_), .args = (args_), .min_args = (min_), .max_args = (max_),                  \
    .options = x##_options, .option_count = sizeof x##_options / sizeof x##_options[0],        \
    .values_size = sizeof(struct x##_values), .run = x##_run

/* Print "doze: <text>" on stderr and return the code. */
enum cli_exit cli_fail(enum cli_exit code, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* --host, --port and --help, which every command takes; they fill struct cli. */
extern const struct option_row cli_global_options[];
extern const size_t cli_global_option_count;

#endif
