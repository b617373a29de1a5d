/* SPDX-License-Identifier: MIT */
#include "cli/commands.h"

#include <string.h>

#include "cli/closest.h"

const struct command *const commands[] = {
    &command_load,          &command_unload,   &command_ps,           &command_ls,
    &command_chat,          &command_settings, &command_server_start, &command_server_stop,
    &command_server_status, &command_status,   &command_prompts_ls,   &command_prompts_clear,
    &command_log_stream,    &command_log,      &command_version,
};
const size_t command_count = sizeof commands / sizeof commands[0];

/* Length of the first word of a command's name. */
static size_t first_word(const struct command *command) {
    return strcspn(command->name, " ");
}

static bool begins_with_word(const struct command *command, const char *word) {
    size_t len = first_word(command);
    return strlen(word) == len && strncmp(command->name, word, len) == 0;
}

static const char *second_word(const struct command *command) {
    const char *space = strchr(command->name, ' ');
    return space ? space + 1 : NULL;
}

const struct command *command_find(int argc, char **argv, int *ret_words) {
    for (size_t i = 0; argc > 0 && i < command_count; i++) {
        if (!begins_with_word(commands[i], argv[0])) continue;
        const char *second = second_word(commands[i]);
        if (second && (argc < 2 || strcmp(argv[1], second) != 0)) continue;
        *ret_words = second ? 2 : 1;
        return commands[i];
    }
    return NULL;
}

bool command_is_group(const char *word) {
    for (size_t i = 0; i < command_count; i++) {
        if (second_word(commands[i]) && begins_with_word(commands[i], word)) return true;
    }
    return false;
}

void command_add_close(const char *word, struct buf *out) {
    const char *names[sizeof commands / sizeof commands[0] + 2];
    size_t count = 0;
    names[count++] = "serve";
    names[count++] = "help";
    for (size_t i = 0; i < command_count; i++) names[count++] = commands[i]->name;
    closest_add(word, names, count, out);
}
