/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/text.h"

enum { HELP_MAX = 1 << 16, DEFAULT_PORT = 1234 };

const struct option_row cli_global_options[] = {
    { .name = "host",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct cli, host),
      .arg = "<host>",
      .help = "Server to ask (127.0.0.1, or DOZE_HOST)" },
    { .name = "port",
      .letter = 'p',
      .kind = OPTION_INT,
      .offset = offsetof(struct cli, port),
      .min = 0,
      .max = 65535,
      .arg = "<port>",
      .help = "Its port (1234, or DOZE_PORT)" },
    { .name = "help",
      .letter = 'h',
      .kind = OPTION_FLAG,
      .offset = offsetof(struct cli, help),
      .help = "Show this help" },
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

/* Show a help text, on stdout if it was asked for. */
static enum cli_exit show(struct buf *text, enum cli_exit code) {
    fputs(buf_str(text), code == CLI_DONE ? stdout : stderr);
    buf_clear(text);
    return code;
}

static enum cli_exit show_overview(const struct cli *cli, const char *group,
                                   enum cli_exit code) {
    struct buf text = BUF_INIT(HELP_MAX);
    help_add_overview(cli->program, group, &text);
    return show(&text, code);
}

static enum cli_exit tell_unknown(const struct cli *cli, const char *word) {
    struct buf close = BUF_INIT(256);
    command_add_close(word, &close);
    enum cli_exit code = close.len
                             ? cli_fail(CLI_USAGE, "There is no command '%s'; did you mean %s?",
                                        word, buf_str(&close))
                             : cli_fail(CLI_USAGE, "There is no command '%s'; see `%s help`.",
                                        word, cli->program);
    buf_clear(&close);
    return code;
}

/* What the environment and the defaults say where no flag did. */
static bool fill_server(struct cli *cli) {
    const char *host = getenv("DOZE_HOST"), *port = getenv("DOZE_PORT");
    if (!cli->host) cli->host = host && *host ? host : "127.0.0.1";
    if (cli->port.given) return true;
    cli->port.value = DEFAULT_PORT;
    if (!port || !*port) return true;
    char *end = NULL;
    cli->port.value = strtol(port, &end, 10);
    return *end == '\0' && cli->port.value >= 0 && cli->port.value <= 65535;
}

static bool arg_count_ok(const struct cli *cli, const struct command *command, int count) {
    if (count >= command->min_args && count <= command->max_args) return true;
    cli_fail(CLI_USAGE, "Usage: %s %s%s%s; see `%s %s --help`.", cli->program, command->name,
             *command->args ? " " : "", command->args, cli->program, command->name);
    return false;
}

/* argv[0] is the last word of the command's name. */
static enum cli_exit command_run(struct cli *cli, const struct command *command, int argc,
                                 char **argv) {
    void *values = xcalloc(1, command->values_size);
    struct option_set sets[] = {
        { command->options, command->option_count, values },
        { cli_global_options, cli_global_option_count, cli },
    };
    struct option_sets both = { .sets = sets, .count = 2 };
    struct error err;
    int first = 0;
    enum cli_exit code = CLI_USAGE;
    if (!options_parse(&both, argc, argv, &first, &err)) {
        cli_fail(CLI_USAGE, "%s See `%s %s --help`.", err.text, cli->program, command->name);
    } else if (cli->help) {
        struct buf text = BUF_INIT(HELP_MAX);
        help_add_command(cli->program, command, &text);
        code = show(&text, CLI_DONE);
    } else if (!fill_server(cli)) {
        cli_fail(CLI_USAGE, "DOZE_PORT has to be a number from 0 to 65535.");
    } else if (arg_count_ok(cli, command, argc - first)) {
        code = command->run(cli, values, argc - first, argv + first);
    }
    free(values);
    return code;
}

/* `doze help`, `doze help load`, `doze help server start`. */
static enum cli_exit help_run(struct cli *cli, int argc, char **argv) {
    int words = 0;
    if (argc == 0) return show_overview(cli, NULL, CLI_DONE);
    const struct command *command = command_find(argc, argv, &words);
    if (!command && command_is_group(argv[0])) return show_overview(cli, argv[0], CLI_DONE);
    if (!command) return tell_unknown(cli, argv[0]);
    struct buf text = BUF_INIT(HELP_MAX);
    help_add_command(cli->program, command, &text);
    return show(&text, CLI_DONE);
}

/* --host and --port before `serve` mean the same after it. */
static int serve_run(const struct cli *cli, int (*serve)(int argc, char **argv), int argc,
                     char **argv) {
    char port[24];
    snprintf(port, sizeof port, "%lld", (long long)cli->port.value);
    if (cli->host) setenv("DOZE_HOST", cli->host, 1);
    if (cli->port.given) setenv("DOZE_PORT", port, 1);
    return serve(argc, argv);
}

/* argv[0] is the command's first word. */
static enum cli_exit dispatch(struct cli *cli, int argc, char **argv) {
    int words = 0;
    const struct command *command = command_find(argc, argv, &words);
    if (command) return command_run(cli, command, argc - words + 1, argv + words - 1);
    if (strcmp(argv[0], "help") == 0) return help_run(cli, argc - 1, argv + 1);
    if (!command_is_group(argv[0])) return tell_unknown(cli, argv[0]);
    bool asked = argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
    return show_overview(cli, argv[0], asked ? CLI_DONE : CLI_USAGE);
}

int cli_main(int argc, char **argv, int (*serve)(int argc, char **argv)) {
    struct cli cli = { .program = "doze" };
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
    const char *name = slash ? slash + 1 : argc > 0 ? argv[0] : "doze";
    if (strcmp(name, "lms") == 0) cli.program = "lms";
    struct option_set globals = { cli_global_options, cli_global_option_count, &cli };
    struct option_sets before = { .sets = &globals, .count = 1, .until_word = true };
    struct error err;
    int first = 0;
    static char version[] = "version";
    if (argc == 2 && strcmp(argv[1], "--version") == 0) argv[1] = version;
    text_init();
    if (!options_parse(&before, argc, argv, &first, &err)) {
        return (int)cli_fail(CLI_USAGE, "%s See `%s help`.", err.text, cli.program);
    }
    if (cli.help) return (int)show_overview(&cli, NULL, CLI_DONE);
    if (first >= argc) return (int)show_overview(&cli, NULL, CLI_USAGE);
    if (strcmp(argv[first], "serve") == 0) {
        return serve_run(&cli, serve, argc - first, argv + first);
    }
    enum cli_exit code = dispatch(&cli, argc - first, argv + first);
    if (fflush(stdout) != 0 && code == CLI_DONE) {
        code = cli_fail(CLI_FAILED, "The output could not be written.");
    }
    return (int)code;
}
