/* SPDX-License-Identifier: MIT */
#include "cli/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/names.h"
#include "base/words.h"
#include "base/xalloc.h"
#include "cli/closest.h"
#include "cli/help.h"
#include "cli/text.h"

enum { MAX_HELP = 1 << 16, DEFAULT_PORT = 1234 };

extern const struct command command_chat, command_daemon_down, command_daemon_status,
    command_daemon_up, command_daemon_update, command_runtime_get, command_runtime_ls,
    command_runtime_remove, command_runtime_select, command_runtime_survey,
    command_runtime_update, command_engine_install, command_engine_ls, command_engine_use,
    command_explain, command_fleet, command_get, command_import, command_load, command_log,
    command_log_stream, command_ls, command_prompts_clear, command_prompts_ls, command_ps,
    command_rm, command_run, command_server_start, command_server_status, command_server_stop,
    command_settings, command_show, command_status, command_token_create, command_token_ls,
    command_token_revoke, command_unload, command_version;

static enum cli_exit help_run(const struct cli *cli, const void *values);

static const struct command command_serve = {
    .name = "serve",
    .args = "[options]",
    .summary = "Serve models in the foreground",
};
static const struct command command_help = {
    .name = "help",
    .args = "[<command>]",
    .summary = "Show this list, or the options of a command",
    .max_args = 2,
    .run = help_run,
};

const struct command *const commands[] = {
    &command_serve,
    &command_load,
    &command_unload,
    &command_ps,
    &command_ls,
    &command_show,
    &command_get,
    &command_import,
    &command_rm,
    &command_explain,
    &command_fleet,
    &command_run,
    &command_chat,
    &command_settings,
    &command_engine_ls,
    &command_engine_install,
    &command_engine_use,
    &command_server_start,
    &command_server_stop,
    &command_server_status,
    &command_status,
    &command_token_create,
    &command_token_ls,
    &command_token_revoke,
    &command_prompts_ls,
    &command_prompts_clear,
    &command_log_stream,
    &command_log,
    &command_version,
    &command_daemon_up,
    &command_daemon_down,
    &command_daemon_status,
    &command_daemon_update,
    &command_runtime_ls,
    &command_runtime_select,
    &command_runtime_survey,
    &command_runtime_get,
    &command_runtime_update,
    &command_runtime_remove,
    &command_help,
};
enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };
const size_t command_count = COMMAND_COUNT;

/* --- the choice of a command --- */

/* How many words a command's name has if argv begins with them, else 0. */
static int command_match(const struct command *command, int argc, char **argv) {
    const char *space = strchr(command->name, ' ');
    size_t len = space ? (size_t)(space - command->name) : strlen(command->name);
    if (argc < 1 || strlen(argv[0]) != len || strncmp(command->name, argv[0], len) != 0) {
        return 0;
    }
    if (!space) return 1;
    return argc > 1 && strcmp(argv[1], space + 1) == 0 ? 2 : 0;
}

/* The command whose name argv begins with; *ret_words: words of the name. NULL and 0 words if
 * there is none. "log stream" is tried before "log" because it comes first in the table. */
static const struct command *command_find(int argc, char **argv, int *ret_words) {
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        *ret_words = command_match(commands[i], argc, argv);
        if (*ret_words > 0) return commands[i];
    }
    return NULL;
}

/* Is the word the first of a two-word command ("server")? */
static bool is_group(const char *word) {
    size_t len = strlen(word);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): the table has no gaps */
        const char *name = commands[i]->name;
        if (strncmp(name, word, len) == 0 && name[len] == ' ') return true;
    }
    return false;
}

/* Commands of LM Studio for its hub, its plugins and its window. */
static bool is_of_lm_studio(const char *word) {
    static const char *const words[] = { "login",     "logout", "whoami", "push",
                                         "clone",     "dev",    "create", "link",
                                         "bootstrap", "launch", "init" };
    return WORDS_FIND(words, word) >= 0;
}

/* What a word that other programs have for a command means here, in quotes; NULL: nothing. */
static const char *meant_by(const char *word) {
    static const char *const habits[][2] = {
        { "config", "'settings'" },
        { "delete", "'rm'" },
        { "download", "'get'" },
        { "info", "'show'" },
        { "keys", "'token ls'" },
        { "list", "'ls'" },
        { "logs", "'log stream'" },
        { "models", "'ls'" },
        { "pull", "'get'" },
        { "remove", "'rm'" },
        { "restart", "'server stop' and 'server start'" },
        { "search", "'get <words>'" },
        { "start", "'server start'" },
        { "stop", "'unload' or 'server stop'" },
    };
    for (size_t i = 0; i < sizeof habits / sizeof habits[0]; i++) {
        if (strcmp(habits[i][0], word) == 0) return habits[i][1];
    }
    return NULL;
}

static enum cli_exit fail_unknown_command(const struct cli *cli, const char *word) {
    const char *meant = meant_by(word);
    if (is_of_lm_studio(word)) {
        return cli_fail(CLI_USAGE,
                        "'%s' needs LM Studio: doze has no hub accounts, projects or "
                        "LM Link.",
                        word);
    }
    if (meant) {
        return cli_fail(CLI_USAGE, "Unknown command '%s'; did you mean %s?", word, meant);
    }
    const char *names[COMMAND_COUNT];
    struct buf close = BUF_INIT(256);
    for (size_t i = 0; i < COMMAND_COUNT; i++) names[i] = commands[i]->name;
    closest_add(word, names, COMMAND_COUNT, &close);
    enum cli_exit code = close.len
                             ? cli_fail(CLI_USAGE, "Unknown command '%s'; did you mean %s?",
                                        word, buf_str(&close))
                             : cli_fail(CLI_USAGE, "Unknown command '%s'; see `%s help`.", word,
                                        cli->program);
    buf_clear(&close);
    return code;
}

/* --- help --- */

/* On stdout if help was asked for, else on stderr. */
static enum cli_exit print_overview(const struct cli *cli, const char *group,
                                    enum cli_exit code) {
    struct buf text = BUF_INIT(MAX_HELP);
    help_add_overview(cli->program, commands, COMMAND_COUNT, group, &text);
    fputs(buf_str(&text), code == CLI_DONE ? stdout : stderr);
    buf_clear(&text);
    return code;
}

static enum cli_exit print_help(const struct cli *cli, const struct command *command) {
    if (!command->run) {
        static char name[] = "serve", help[] = "--help";
        return (enum cli_exit)cli->serve(2, (char *[]){ name, help, NULL });
    }
    struct buf text = BUF_INIT(MAX_HELP);
    help_add_command(cli->program, command, &text);
    fputs(buf_str(&text), stdout);
    buf_clear(&text);
    return CLI_DONE;
}

/* `doze help`, `doze help load`, `doze help server`, `doze help server start`. */
static enum cli_exit help_run(const struct cli *cli, const void *values) {
    int words = 0;
    (void)values;
    if (cli->arg_count == 0) return print_overview(cli, NULL, CLI_DONE);
    const struct command *command = command_find(cli->arg_count, cli->args, &words);
    if (words > 0) return print_help(cli, command);
    if (is_group(cli->args[0])) return print_overview(cli, cli->args[0], CLI_DONE);
    return fail_unknown_command(cli, cli->args[0]);
}

/* --- running --- */

/* What no option gives comes from the environment, else it is the default. */
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

static enum cli_exit run_parsed(struct cli *cli, const struct command *command,
                                const void *values) {
    if (cli->help) return print_help(cli, command);
    if (!fill_server(cli)) {
        return cli_fail(CLI_USAGE, "DOZE_PORT must be a number from 0 to 65535.");
    }
    if (cli->arg_count < command->min_args || cli->arg_count > command->max_args) {
        return cli_fail(CLI_USAGE, "Usage: %s %s%s%s; see `%s %s --help`.", cli->program,
                        command->name, command->args ? " " : "",
                        command->args ? command->args : "", cli->program, command->name);
    }
    return command->run(cli, values);
}

/* argv[0] is the last word of the command's name. */
static enum cli_exit command_execute(struct cli *cli, const struct command *command, int argc,
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
    if (options_parse(&both, argc, argv, &first, &err)) {
        cli->arg_count = argc - first;
        cli->args = argv + first;
        code = run_parsed(cli, command, values);
    } else {
        cli_fail(CLI_USAGE, "%s See `%s %s --help`.", err.text, cli->program, command->name);
    }
    free(values);
    return code;
}

/* --host and --port before `serve` count as if they came after it. */
static enum cli_exit serve_run(const struct cli *cli, int argc, char **argv) {
    char port[24];
    snprintf(port, sizeof port, "%lld", (long long)cli->port.value);
    if (cli->host) setenv("DOZE_HOST", cli->host, 1);
    if (cli->port.given) setenv("DOZE_PORT", port, 1);
    return (enum cli_exit)cli->serve(argc, argv);
}

/* argv[0] is the command's first word. */
static enum cli_exit dispatch(struct cli *cli, int argc, char **argv) {
    int words = 0;
    const struct command *command = command_find(argc, argv, &words);
    if (words > 0 && !command->run) return serve_run(cli, argc, argv);
    if (words > 0) return command_execute(cli, command, argc - words + 1, argv + words - 1);
    if (!is_group(argv[0])) return fail_unknown_command(cli, argv[0]);
    bool asked = argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
    return print_overview(cli, argv[0], asked ? CLI_DONE : CLI_USAGE);
}

static const char *program_name(const char *path) {
    return strcmp(path_name(path), "lms") == 0 ? "lms" : "doze";
}

int commands_main(int argc, char **argv, int (*serve)(int argc, char **argv)) {
    struct cli cli = { .program = program_name(argc > 0 ? argv[0] : ""), .serve = serve };
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
    if (cli.help) return (int)print_overview(&cli, NULL, CLI_DONE);
    if (first >= argc) return (int)print_overview(&cli, NULL, CLI_USAGE);
    enum cli_exit code = dispatch(&cli, argc - first, argv + first);
    if (fflush(stdout) != 0 && code == CLI_DONE) {
        code = cli_fail(CLI_FAILED, "The output could not be written.");
    }
    return (int)code;
}
