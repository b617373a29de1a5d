/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/utf8.h"
#include "cli/chat.h"
#include "cli/interrupt.h"
#include "cli/model_choice.h"
#include "cli/repl.h"

struct chat_values {
    const char *prompt, *system;
    struct option_ttl ttl;
    bool stats;
};

/* -p means --prompt here, so --port has no letter in this command. */
static const struct option_row chat_options[] = {
    OPTION(chat, prompt, "prompt", 'p', "<text>", "Ask this one question"),
    OPTION(chat, system, "system", 's', "<text>", "The system message"),
    OPTION(chat, system, "system-prompt", 0, "<text>", NULL),
    OPTION(chat, ttl, "ttl", 0, "<span>", "Unload when idle for this long (300, 5m, none)"),
    FLAG(chat, stats, "stats", 0, "Print tokens and speed after each answer"),
};

enum { MAX_PROMPT = 16000000, CHUNK = 1 << 16 };

/* Append all of stdin, after an empty line if there is a prompt already. */
static bool add_stdin(struct buf *prompt) {
    if (prompt->len > 0) buf_add_str(prompt, "\n\n");
    for (;;) {
        char *room = buf_reserve(prompt, CHUNK);
        if (!room) {
            cli_fail(CLI_FAILED, "The prompt is larger than %d MB; send less.",
                     MAX_PROMPT / 1000000);
            return false;
        }
        ssize_t got = read(STDIN_FILENO, room, CHUNK);
        if (got == 0) return true;
        if (got < 0 && errno != EINTR) {
            cli_fail(CLI_FAILED, "stdin cannot be read: %s.", strerror(errno));
            return false;
        }
        if (got > 0) prompt->len += (size_t)got;
    }
}

/* Ctrl-C closes the connection and leaves the terminal as it was. */
static enum cli_exit ask_question(struct chat *chat, const struct buf *prompt) {
    struct error err;
    int fd = interrupt_open();
    enum outcome outcome = chat_ask(chat, prompt->data, prompt->len, fd, &err);
    if (outcome == OUTCOME_CANCELLED) interrupt_drain(fd);
    interrupt_close(fd);
    return client_fail(outcome, &err);
}

static enum cli_exit ask_once(struct chat *chat, const char *given) {
    struct buf prompt = BUF_INIT(MAX_PROMPT + CHUNK);
    enum cli_exit code = CLI_FAILED;
    if (given) buf_add_str(&prompt, given);
    if (isatty(STDIN_FILENO) || add_stdin(&prompt)) {
        while (prompt.len > 0 && strchr(" \t\r\n", prompt.data[prompt.len - 1])) {
            prompt.data[--prompt.len] = '\0';
        }
        code = prompt.len
                   ? ask_question(chat, &prompt)
                   : cli_fail(CLI_USAGE, "The prompt is empty; give one with -p or on stdin.");
    }
    buf_clear(&prompt);
    return code;
}

static enum cli_exit chat_run(const struct cli *cli, const void *values) {
    const struct chat_values *v = values;
    struct chat_options chosen = { .model = cli->arg_count > 0 ? cli->args[0] : NULL,
                                   .system = v->system,
                                   .ttl = v->ttl,
                                   .stats = v->stats };
    if (v->system && !utf8_is_valid(v->system, strlen(v->system))) {
        return cli_fail(CLI_USAGE, "The system message is not UTF-8 text.");
    }
    struct inventory inv = { 0 };
    struct error err;
    enum outcome outcome = inventory_fetch(cli, &inv, &err);
    if (outcome != OUTCOME_DONE) return client_fail(outcome, &err);
    const char *key = model_choice(&inv, chosen.model);
    if (key) chosen.model = key;
    struct chat *chat = chat_new(cli, &chosen);
    bool interactive = !v->prompt && isatty(STDIN_FILENO);
    enum cli_exit code = interactive ? repl_run(chat) : ask_once(chat, v->prompt);
    chat_free(chat);
    inventory_clear(&inv);
    return code;
}

const struct command command_chat = {
    COMMAND(chat, "chat", "[<model>]", 0, 1),
    .summary = "Talk to a model, on a terminal or through pipes",
    .details = "With -p, or with text on stdin, one question is asked and its answer "
               "printed; stdin follows the text of -p. <model> may be a part of a key. Without "
               "it: the only loaded model, or the one you pick on a terminal.",
};
