/* SPDX-License-Identifier: MIT */
#include "cli/help.h"

#include <string.h>

enum { SUMMARY_COLUMN = 36 };

/* "load [<model>]" */
static void add_name(const struct command *command, struct buf *out) {
    buf_addf(out, "%s%s%s", command->name, command->args ? " " : "",
             command->args ? command->args : "");
}

static bool in_group(const struct command *command, const char *group) {
    size_t len = strlen(group);
    return strncmp(command->name, group, len) == 0 && command->name[len] == ' ';
}

void help_add_overview(const char *program, const struct command *const *commands, size_t count,
                       const char *group, struct buf *out) {
    buf_addf(out, "Usage: %s %s<command> [options]\n\nCommands:\n", program,
             group ? "" : "[--host <host>] [--port <port>] ");
    for (size_t i = 0; i < count; i++) {
        if (group && !in_group(commands[i], group)) continue;
        size_t start = out->len;
        buf_add_str(out, "  ");
        add_name(commands[i], out);
        int pad = SUMMARY_COLUMN - (int)(out->len - start);
        buf_addf(out, "%*s%s\n", pad > 2 ? pad : 2, "", commands[i]->summary);
    }
    buf_addf(out, "\n`%s <command> --help` shows a command's options.\n", program);
}

static bool has_letter(const struct command *command, char letter) {
    for (size_t i = 0; i < command->option_count; i++) {
        if (letter && command->options[i].letter == letter) return true;
    }
    return false;
}

void help_add_command(const char *program, const struct command *command, struct buf *out) {
    buf_addf(out, "Usage: %s ", program);
    add_name(command, out);
    buf_addf(out, " [options]\n\n%s.\n", command->summary);
    if (command->details) buf_addf(out, "%s\n", command->details);
    buf_add_str(out, "\nOptions:\n");
    options_add_help(command->options, command->option_count, out);
    for (size_t i = 0; i < cli_global_option_count; i++) {
        struct option_row row = cli_global_options[i];
        if (has_letter(command, row.letter)) row.letter = 0;
        options_add_help(&row, 1, out);
    }
}
