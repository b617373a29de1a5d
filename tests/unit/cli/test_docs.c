/* SPDX-License-Identifier: MIT */
/* The manual and the completions know every command and every option. */
#include "parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/help.h"
#include "cli/setting_table.h"

static char *file_read(const char *path) {
    struct buf text = BUF_INIT(1 << 20);
    char full[4096];
    snprintf(full, sizeof full, SOURCE_DIR "/%s", path);
    FILE *file = fopen(full, "r");
    if (!file) fail_msg("%s cannot be read", full);
    for (;;) {
        char *room = buf_reserve(&text, 4096);
        assert_non_null(room);
        size_t got = fread(room, 1, 4096, file);
        if (got == 0) break;
        text.len += got;
    }
    fclose(file);
    text.data[text.len] = '\0';
    return buf_take(&text);
}

static void check_rows(const char *path, const char *text, const char *prefix,
                       const struct option_row *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        char want[64];
        snprintf(want, sizeof want, "%s%s", prefix, rows[i].name);
        if (rows[i].help && !strstr(text, want)) fail_msg("%s lacks %s", path, want);
    }
}

/* prefix: how the file writes an option. */
static void check_file(const char *path, const char *prefix) {
    char *text = file_read(path);
    for (size_t i = 0; i < command_count; i++) {
        char word[32];
        snprintf(word, sizeof word, "%s", commands[i]->name);
        for (char *rest = word, *part; (part = strsep(&rest, " "));) {
            if (!strstr(text, part))
                fail_msg("%s lacks the command %s", path, commands[i]->name);
        }
        check_rows(path, text, prefix, commands[i]->options, commands[i]->option_count);
    }
    check_rows(path, text, prefix, cli_global_options, cli_global_option_count);
    free(text);
}

static void test_manual(void **state) {
    (void)state;
    check_file("docs/man/doze.1", "\\-");
}

static void check_settings(const char *path) {
    char *text = file_read(path);
    for (size_t i = 0; i < setting_table_count; i++) {
        if (!strstr(text, setting_table[i].name)) {
            fail_msg("%s lacks the setting %s", path, setting_table[i].name);
        }
    }
    free(text);
}

static void test_settings_are_known(void **state) {
    (void)state;
    check_settings("docs/settings.md");
    check_settings("completions/doze.bash");
    check_settings("completions/_doze");
    check_settings("completions/doze.fish");
}

static void test_completions(void **state) {
    (void)state;
    check_file("completions/doze.bash", "--");
    check_file("completions/_doze", "--");
    check_file("completions/doze.fish", "-l ");
}

/* Every option of every command is in its help, with its letter once. */
static void test_help_lists_options(void **state) {
    (void)state;
    for (size_t i = 0; i < command_count; i++) {
        struct buf text = BUF_INIT(1 << 16);
        help_add_command("doze", commands[i], &text);
        check_rows(commands[i]->name, buf_str(&text), "--", commands[i]->options,
                   commands[i]->option_count);
        check_rows(commands[i]->name, buf_str(&text), "--", cli_global_options,
                   cli_global_option_count);
        char *p = strstr(buf_str(&text), "\n  -p");
        assert_true(!p || !strstr(p + 1, "\n  -p"));
        buf_clear(&text);
    }
}

static void check_width(const struct buf *text) {
    for (const char *line = buf_str(text); *line;) {
        size_t len = strcspn(line, "\n");
        if (len > 80) fail_msg("wider than 80 columns: %.*s", (int)len, line);
        line += len + (line[len] == '\n');
    }
}

/* No line of the help wraps on a terminal of 80 columns. */
static void test_help_fits_a_terminal(void **state) {
    (void)state;
    struct buf text = BUF_INIT(1 << 16);
    help_add_overview("doze", commands, command_count, NULL, &text);
    check_width(&text);
    for (size_t i = 0; i < command_count; i++) {
        buf_reset(&text);
        help_add_command("doze", commands[i], &text);
        check_width(&text);
    }
    buf_clear(&text);
}

int run_docs(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_manual),
        cmocka_unit_test(test_completions),
        cmocka_unit_test(test_settings_are_known),
        cmocka_unit_test(test_help_lists_options),
        cmocka_unit_test(test_help_fits_a_terminal),
    };
    return cmocka_run_group_tests_name("docs", tests, NULL, NULL);
}
