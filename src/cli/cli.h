/* SPDX-License-Identifier: MIT */
/*
 * cli.h - the command line: global options, the choice of the command, how errors are told.
 *
 * A command asks a running server over HTTP and knows nothing else of it. Results go to stdout;
 * progress, prompts and errors to stderr, an error as one line "doze: ...".
 */
#ifndef DOZE_CLI_CLI_H
#define DOZE_CLI_CLI_H

#include <stddef.h>

#include "base/error.h"
#include "cli/options.h"

enum cli_exit { CLI_DONE, CLI_FAILED, CLI_USAGE, CLI_UNREACHABLE };

/* What is the same for every command. */
struct cli {
    const char *program; /* name it was called by: "doze", or "lms" through a link */
    const char *host;    /* as given: may be a listening address like 0.0.0.0 */
    struct option_int port;
    bool help;
};

struct command {
    const char *name;    /* one word, or two: "server start" */
    const char *args;    /* "<model>" in the usage line; "" if none */
    const char *summary; /* one line, for the list of commands */
    const char *details; /* paragraph of --help; NULL if there is none */
    const struct option_row *options;
    size_t option_count;
    size_t values_size; /* of the struct that the options fill; it is zeroed before */
    int min_args, max_args;
    /* args: what is left after the options. */
    enum cli_exit (*run)(const struct cli *cli, const void *values, int argc, char **args);
};

/* Run what argv says and return the exit code. serve: runs `doze serve` (argv[0] = "serve"). */
int cli_main(int argc, char **argv, int (*serve)(int argc, char **argv));

/* Print "doze: <text>" on stderr and return the code. */
enum cli_exit cli_fail(enum cli_exit code, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* --host, --port and --help, which every command takes; offsets are those of struct cli. */
extern const struct option_row cli_global_options[];
extern const size_t cli_global_option_count;

#endif
