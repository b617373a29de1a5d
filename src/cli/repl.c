/* SPDX-License-Identifier: MIT */
#include "cli/repl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/dirs.h"
#include "base/user_dirs.h"
#include "base/xalloc.h"
#include "cli/interrupt.h"
#include "cli/line_editor.h"
#include "cli/message.h"
#include "cli/repl_command.h"
#include "cli/text.h"

enum { MAX_MESSAGE = 16000000, MAX_PROMPT = 120 };

struct repl {
    struct chat *chat;
    struct line_editor *editor;
    int interrupt_fd;
    struct message message; /* being typed */
    char prompt[MAX_PROMPT];
};

/* NULL if the folder cannot be made: then the history ends with the program. */
static char *history_path(void) {
    struct error ignored;
    char *folder = user_state_dir();
    char *path = NULL;
    if (dirs_make(folder, 0700, &ignored)) path = xasprintf("%s/chat_history", folder);
    free(folder);
    return path;
}

static void make_prompt(struct repl *r) {
    struct buf safe = BUF_INIT(4096);
    const char *model = chat_model(r->chat);
    text_add_safe(&safe, model, strlen(model));
    snprintf(r->prompt, sizeof r->prompt, "%.*s> ", MAX_PROMPT - 3, buf_str(&safe));
    buf_clear(&safe);
}

/* Read lines until they are a whole message. LINE_INTERRUPTED drops those that came. */
static enum line read_message(struct repl *r) {
    struct buf line = BUF_INIT(MAX_MESSAGE);
    enum line got;
    message_reset(&r->message);
    do {
        got = line_editor_read(r->editor, r->message.open ? "... " : r->prompt, &line);
        if (got == LINE_READ) message_add(&r->message, buf_str(&line), line.len);
    } while (got == LINE_READ && r->message.open);
    buf_clear(&line);
    return got;
}

static void trim(struct buf *text) {
    while (text->len > 0 && strchr(" \t\r\n", text->data[text->len - 1])) {
        text->data[--text->len] = '\0';
    }
}

/* Ask the model; false: the server is gone, with *code. */
static bool ask(struct repl *r, enum cli_exit *code) {
    struct error err;
    const struct buf *text = &r->message.text;
    enum outcome outcome = chat_ask(r->chat, text->data, text->len, r->interrupt_fd, &err);
    if (outcome == OUTCOME_CANCELLED) {
        interrupt_drain(r->interrupt_fd);
        fputs("(stopped)\n", stderr);
        return true;
    }
    if (outcome == OUTCOME_DONE) return true;
    enum cli_exit failed = client_fail(outcome, &err);
    if (outcome == OUTCOME_REFUSED) return true;
    *code = failed;
    return false;
}

/* False: the conversation ends, with *code. */
static bool take_message(struct repl *r, enum cli_exit *code) {
    trim(&r->message.text);
    if (r->message.text.len == 0) return true;
    line_editor_remember(r->editor, buf_str(&r->message.text));
    switch (repl_command(r->chat, buf_str(&r->message.text))) {
    case REPL_TEXT:
        return ask(r, code);
    case REPL_DONE:
        return true;
    case REPL_BYE:
        return false;
    }
    return false;
}

static enum cli_exit converse(struct repl *r) {
    enum cli_exit code = CLI_DONE;
    enum line got;
    make_prompt(r);
    fputs("Ctrl-C stops an answer; /help lists the commands; /bye or Ctrl-D ends.\n", stderr);
    while ((got = read_message(r)) != LINE_END) {
        if (got == LINE_INTERRUPTED) fputs("\n(Ctrl-D ends the conversation)\n", stderr);
        if (got == LINE_READ && !take_message(r, &code)) return code;
    }
    fputc('\n', stderr);
    return code;
}

enum cli_exit repl_run(struct chat *chat) {
    struct repl r = { .chat = chat,
                      .interrupt_fd = interrupt_open(),
                      .message.text = BUF_INIT(MAX_MESSAGE) };
    struct error err;
    char *history = history_path();
    enum cli_exit code;
    r.editor = line_editor_open(r.interrupt_fd, history, &err);
    if (r.editor) {
        code = converse(&r);
        line_editor_close(r.editor);
    } else {
        code = cli_fail(CLI_FAILED, "%s", err.text);
    }
    buf_clear(&r.message.text);
    interrupt_close(r.interrupt_fd);
    free(history);
    return code;
}
