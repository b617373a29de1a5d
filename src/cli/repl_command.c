/* SPDX-License-Identifier: MIT */
#include "cli/repl_command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/chat_file.h"
#include "cli/closest.h"
#include "cli/text.h"

enum { MAX_TEXT = 1 << 20, MAX_WORD = 64 };

struct row {
    const char *name, *args, *help;
    /* rest: what follows the name, without spaces around it; "" if nothing does. */
    enum repl_command (*run)(struct chat *chat, const char *rest);
};

static enum repl_command run_help(struct chat *chat, const char *rest);

static enum repl_command run_bye(struct chat *chat, const char *rest) {
    (void)chat;
    (void)rest;
    return REPL_BYE;
}

static enum repl_command run_clear(struct chat *chat, const char *rest) {
    (void)rest;
    chat_forget(chat);
    fputs("The conversation is cleared.\n", stderr);
    return REPL_DONE;
}

static enum repl_command run_stats(struct chat *chat, const char *rest) {
    (void)rest;
    chat_set_stats(chat, !chat_stats(chat));
    fprintf(stderr, "Figures after each answer: %s.\n", chat_stats(chat) ? "on" : "off");
    return REPL_DONE;
}

static enum repl_command run_system(struct chat *chat, const char *rest) {
    if (*rest) chat_set_system(chat, strcmp(rest, "none") == 0 ? NULL : rest);
    fprintf(stderr, "System message: %s\n", chat_system(chat) ? chat_system(chat) : "none");
    return REPL_DONE;
}

static void print_error(const struct error *err) {
    fprintf(stderr, "%s%s%s\n", text_begin(stderr, STYLE_RED), err->text, text_end(stderr));
}

/* "/set" lists, "/set temperature 0.7" sets, "/set temperature none" resets. */
static enum repl_command run_set(struct chat *chat, const char *rest) {
    struct error err;
    char name[MAX_WORD];
    size_t len = strcspn(rest, " =");
    const char *value = rest + len + strspn(rest + len, " =");
    snprintf(name, sizeof name, "%.*s", (int)len, rest);
    if (!*value) {
        struct buf list = BUF_INIT(MAX_TEXT);
        chat_add_settings(chat, &list);
        fputs(buf_str(&list), stderr);
        buf_clear(&list);
    } else if (chat_set(chat, name, value, &err)) {
        fprintf(stderr, "%s is %s.\n", name, value);
    } else {
        print_error(&err);
    }
    return REPL_DONE;
}

static enum repl_command run_save(struct chat *chat, const char *rest) {
    struct error err;
    char *path = chat_file_path(*rest ? rest : "last");
    if (chat_save(chat, path, &err))
        fprintf(stderr, "Saved in %s.\n", path);
    else
        print_error(&err);
    free(path);
    return REPL_DONE;
}

static enum repl_command run_load(struct chat *chat, const char *rest) {
    struct error err;
    char *path = chat_file_path(*rest ? rest : "last");
    if (chat_load(chat, path, &err))
        fprintf(stderr, "Loaded %zu messages.\n", chat_message_count(chat));
    else
        print_error(&err);
    free(path);
    return REPL_DONE;
}

static const struct row rows[] = {
    { "/help", "", "show this list", run_help },
    { "/bye", "", "end the conversation; so do /exit and Ctrl-D", run_bye },
    { "/clear", "", "begin a new conversation", run_clear },
    { "/system", "[text]", "show or set the system message; none removes it", run_system },
    { "/set", "[name value]", "show or set how answers are sampled", run_set },
    { "/stats", "", "show or hide the figures of each answer", run_stats },
    { "/save", "[name]", "save the conversation", run_save },
    { "/load", "[name]", "continue a saved one", run_load },
    { "/exit", NULL, NULL, run_bye },
    { "/quit", NULL, NULL, run_bye },
    { "/?", NULL, NULL, run_help },
};
enum { ROW_COUNT = sizeof rows / sizeof rows[0] };

static enum repl_command run_help(struct chat *chat, const char *rest) {
    (void)chat;
    (void)rest;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        char left[MAX_WORD];
        if (!rows[i].help) continue;
        snprintf(left, sizeof left, "%s %s", rows[i].name, rows[i].args);
        fprintf(stderr, "  %-20s %s\n", left, rows[i].help);
    }
    fputs("  Ctrl-C               stop the answer, or discard the line\n"
          "  Up, Down, Ctrl-R     earlier lines\n"
          "  text \\               the message goes on in the next line\n"
          "  \"\"\"                  begins and ends a message of several lines\n"
          "A pasted text is one message, however many lines it has.\n",
          stderr);
    return REPL_DONE;
}

static const struct row *find_row(const char *line, size_t len) {
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (strlen(rows[i].name) == len && memcmp(rows[i].name, line, len) == 0) {
            return &rows[i];
        }
    }
    return NULL;
}

static void refuse_command(const char *line, size_t len) {
    char word[MAX_WORD];
    const char *names[ROW_COUNT];
    struct buf close = BUF_INIT(256);
    snprintf(word, sizeof word, "%.*s", (int)len, line);
    for (size_t i = 0; i < ROW_COUNT; i++) names[i] = rows[i].name;
    closest_add(word, names, ROW_COUNT, &close);
    if (close.len)
        fprintf(stderr, "There is no command %s; did you mean %s?\n", word, buf_str(&close));
    else
        fprintf(stderr, "There is no command %s; /help lists them.\n", word);
    buf_clear(&close);
}

enum repl_command repl_command(struct chat *chat, const char *line) {
    size_t len = strcspn(line, " \t\n");
    if (*line != '/' || len < 2 || memchr(line + 1, '/', len - 1)) return REPL_TEXT;
    const struct row *row = find_row(line, len);
    if (row) return row->run(chat, line + len + strspn(line + len, " \t\n"));
    refuse_command(line, len);
    return REPL_DONE;
}
