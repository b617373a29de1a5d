/* SPDX-License-Identifier: MIT */
#include "cli/help.h"

#include <string.h>

#include "cli/commands.h"

static void add_row(struct buf *out, const char *name, const char *args, const char *summary) {
    size_t start = out->len;
    buf_addf(out, "  %s%s%s", name, *args ? " " : "", args);
    int pad = 36 - (int)(out->len - start);
    buf_addf(out, "%*s%s\n", pad > 2 ? pad : 2, "", summary);
}

static bool in_group(const struct command *command, const char *group) {
    size_t len = strlen(group);
    return strncmp(command->name, group, len) == 0 && command->name[len] == ' ';
}

void help_add_overview(const char *program, const char *group, struct buf *out) {
    buf_addf(out, "Usage: %s %s<command> [options]\n\nCommands:\n", program,
             group ? "" : "[--host H] [--port P] ");
    if (!group) add_row(out, "serve", "", "Serve models in the foreground (`serve --help`)");
    for (size_t i = 0; i < command_count; i++) {
        if (group && !in_group(commands[i], group)) continue;
        add_row(out, commands[i]->name, commands[i]->args, commands[i]->summary);
    }
    if (!group) add_row(out, "help", "[command]", "Show this list, or a command's options");
    buf_addf(out, "\n`%s <command> --help` shows a command's options.\n", program);
}

static bool has_letter(const struct command *command, char letter) {
    for (size_t i = 0; i < command->option_count; i++) {
        if (letter && command->options[i].letter == letter) return true;
    }
    return false;
}

void help_add_command(const char *program, const struct command *command, struct buf *out) {
    buf_addf(out, "Usage: %s %s%s%s [options]\n\n%s.\n", program, command->name,
             *command->args ? " " : "", command->args, command->summary);
    if (command->details) buf_addf(out, "%s\n", command->details);
    buf_add_str(out, "\nOptions:\n");
    options_add_help(command->options, command->option_count, out);
    for (size_t i = 0; i < cli_global_option_count; i++) {
        struct option_row row = cli_global_options[i];
        if (has_letter(command, row.letter)) row.letter = 0;
        options_add_help(&row, 1, out);
    }
}
