/* SPDX-License-Identifier: MIT */
#include "cli/help.h"

#include <stdio.h>
#include <string.h>

/* The second column has 48 of the 80 columns of a terminal. */
enum { LAST_COLUMN = 80, SECOND_COLUMN = 32, MAX_LEFT = 128 };

/* A left text that reaches into the second column gets a line of its own. */
static void help_add_row(struct buf *out, const char *left, const char *right) {
    int len = (int)strlen(left);
    if (len + 2 > SECOND_COLUMN) {
        buf_addf(out, "%s\n%*s%s\n", left, SECOND_COLUMN, "", right);
    } else {
        buf_addf(out, "%-*s%s\n", SECOND_COLUMN, left, right);
    }
}

/* Break a text into lines at its spaces. */
static void add_paragraph(struct buf *out, const char *text) {
    size_t column = 0;
    for (size_t len; *text; text += len + strspn(text + len, " ")) {
        len = strcspn(text, " ");
        bool fits = column + 1 + len <= LAST_COLUMN;
        if (column > 0) buf_add_str(out, fits ? " " : "\n");
        column = column > 0 && fits ? column + 1 + len : len;
        buf_add(out, text, len);
    }
    buf_add_str(out, "\n");
}

void help_add_overview(const char *program, const struct command *const *commands, size_t count,
                       const char *group, struct buf *out) {
    const char *before = group ? group : "[--host <host>] [--port <port>]";
    buf_addf(out, "Usage: %s %s <command> [options]\n\nCommands:\n", program, before);
    size_t group_len = group ? strlen(group) : 0;
    for (size_t i = 0; i < count; i++) {
        char left[MAX_LEFT];
        const char *name = commands[i]->name, *args = commands[i]->args;
        bool shown = group ? strncmp(name, group, group_len) == 0 && name[group_len] == ' '
                           : !commands[i]->hidden;
        if (!shown) continue;
        snprintf(left, sizeof left, "  %s%s%s", name, args ? " " : "", args ? args : "");
        help_add_row(out, left, commands[i]->summary);
    }
    buf_addf(out, "\n`%s %s%s<command> --help` shows the options of a command.\n", program,
             group ? group : "", group ? " " : "");
    if (!group) {
        buf_addf(out, "LM Studio's names: `%s help daemon`, `%s help runtime`.\n", program,
                 program);
    }
}

/* Rows without a help text are other names of the row before. */
static void add_option(struct buf *out, const struct option_row *row) {
    char left[MAX_LEFT], letter[] = { '-', row->letter, ',', '\0' };
    if (!row->help) return;
    snprintf(left, sizeof left, "  %3s --%s%s%s", row->letter ? letter : "", row->name,
             row->arg ? " " : "", row->arg ? row->arg : "");
    help_add_row(out, left, row->help);
}

static bool has_letter(const struct command *command, char letter) {
    for (size_t i = 0; i < command->option_count; i++) {
        if (letter && command->options[i].letter == letter) return true;
    }
    return false;
}

void help_add_command(const char *program, const struct command *command, struct buf *out) {
    buf_addf(out, "Usage: %s %s%s%s [options]\n\n%s.\n", program, command->name,
             command->args ? " " : "", command->args ? command->args : "", command->summary);
    if (command->details) {
        buf_add_str(out, "\n");
        add_paragraph(out, command->details);
    }
    buf_add_str(out, "\nOptions:\n");
    for (size_t i = 0; i < command->option_count; i++) add_option(out, &command->options[i]);
    for (size_t i = 0; i < cli_global_option_count; i++) {
        struct option_row row = cli_global_options[i];
        if (has_letter(command, row.letter)) row.letter = 0;
        add_option(out, &row);
    }
}
