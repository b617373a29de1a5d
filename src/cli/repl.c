/* SPDX-License-Identifier: MIT */
#include "cli/repl.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/interrupt.h"
#include "cli/text.h"

enum { MAX_LINE = 1 << 20, CHUNK = 4096 };

struct repl {
    struct chat *chat;
    int interrupt_fd;
    struct buf input; /* read and not used yet */
};

static void print_prompt(void) {
    fprintf(stderr, "%s> %s", text_begin(stderr, STYLE_BOLD), text_end(stderr));
    fflush(stderr);
}

/* Wait for more input. 1: there is some, 0: it has ended, -1: Ctrl-C. */
static int wait_input(struct repl *r) {
    struct pollfd fds[] = { { .fd = STDIN_FILENO, .events = POLLIN },
                            { .fd = r->interrupt_fd, .events = POLLIN } };
    while (poll(fds, 2, -1) < 0) {
        if (errno != EINTR) return 0;
    }
    if (fds[1].revents) {
        interrupt_drain(r->interrupt_fd);
        return -1;
    }
    char *room = buf_reserve(&r->input, CHUNK);
    ssize_t got = room ? read(STDIN_FILENO, room, CHUNK) : -1;
    if (got <= 0) return 0;
    r->input.len += (size_t)got;
    return 1;
}

/* Wait for the next line; its length with the newline. 0: the input has ended. Ctrl-C discards
 * what was typed. */
static size_t next_line(struct repl *r) {
    for (;;) {
        char *newline = r->input.len ? memchr(r->input.data, '\n', r->input.len) : NULL;
        if (newline) return (size_t)(newline - r->input.data) + 1;
        int state = wait_input(r);
        if (state == 0) return r->input.len;
        if (state < 0) {
            buf_reset(&r->input);
            fputs("\n(Ctrl-D ends the conversation)\n", stderr);
            print_prompt();
        }
    }
}

static bool line_is(const char *line, size_t len, const char *word) {
    return strlen(word) == len && memcmp(line, word, len) == 0;
}

/* False: the conversation ends, with *code. */
static bool take_line(struct repl *r, const char *line, size_t len, enum cli_exit *code) {
    struct error err;
    while (len > 0 && strchr(" \t\r\n", line[len - 1])) len--;
    if (len == 0) return true;
    if (line_is(line, len, "/exit")) return false;
    if (line_is(line, len, "/clear")) {
        chat_forget(r->chat);
        fputs("The conversation is cleared.\n", stderr);
        return true;
    }
    enum outcome outcome = chat_ask(r->chat, line, len, r->interrupt_fd, &err);
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

enum cli_exit repl_run(struct chat *chat) {
    struct repl r = { .chat = chat,
                      .interrupt_fd = interrupt_open(),
                      .input = BUF_INIT(MAX_LINE) };
    enum cli_exit code = CLI_DONE;
    fputs("Ctrl-C stops an answer, /clear starts over, /exit or Ctrl-D ends.\n", stderr);
    for (bool going = true; going;) {
        print_prompt();
        size_t len = next_line(&r);
        if (len == 0) {
            fputc('\n', stderr);
            break;
        }
        going = take_line(&r, r.input.data, len, &code);
        buf_drop(&r.input, len);
    }
    buf_clear(&r.input);
    interrupt_close(r.interrupt_fd);
    return code;
}
