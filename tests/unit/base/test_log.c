/* SPDX-License-Identifier: MIT */
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"

struct heard {
    int count;
    enum log_level level;
    char text[4096];
};

static void listen_to(void *ctx, enum log_level level, const char *text) {
    struct heard *heard = ctx;
    heard->count++;
    heard->level = level;
    snprintf(heard->text, sizeof heard->text, "%s", text);
}

static int quiet(void **state) {
    (void)state;
    log_set_listener(NULL, NULL);
    log_set_level(LOG_LEVEL_INFO);
    return 0;
}

static void test_levels_have_names(void **state) {
    (void)state;
    static const char *const names[] = { "error", "warn", "info", "debug" };
    for (int i = 0; i < 4; i++) {
        enum log_level level = LOG_LEVEL_ERROR;
        assert_true(log_level_parse(names[i], &level));
        assert_int_equal(level, i);
        assert_string_equal(log_level_name(level), names[i]);
    }
    enum log_level level = LOG_LEVEL_WARN;
    assert_false(log_level_parse("loud", &level));
    assert_false(log_level_parse("", &level));
    assert_int_equal(level, LOG_LEVEL_WARN);
}

static void test_levels_let_through(void **state) {
    (void)state;
    struct heard heard = { 0 };
    log_set_listener(listen_to, &heard);
    log_debug("not by default");
    assert_int_equal(heard.count, 0);
    log_info("number %d", 1);
    assert_int_equal(heard.count, 1);
    assert_int_equal(heard.level, LOG_LEVEL_INFO);
    assert_string_equal(heard.text, "number 1");
    log_set_level(LOG_LEVEL_ERROR);
    log_warn("no");
    log_error("yes");
    assert_int_equal(heard.count, 2);
    assert_int_equal(heard.level, LOG_LEVEL_ERROR);
    log_set_level(LOG_LEVEL_DEBUG);
    log_debug("now");
    assert_int_equal(heard.count, 3);
}

static void test_long_lines_are_cut(void **state) {
    (void)state;
    struct heard heard = { 0 };
    log_set_listener(listen_to, &heard);
    char text[8000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    log_info("%s", text);
    assert_in_range(strlen(heard.text), 1000, 4000);
}

static void test_a_stranger_cannot_begin_a_line(void **state) {
    (void)state;
    struct heard heard = { 0 };
    log_set_listener(listen_to, &heard);
    log_info("a client says: %s", "x\n2026 error y");
    assert_string_equal(heard.text, "a client says: x?2026 error y");
}

/* One line: time, level, text. Read back from a file in the place of stderr. */
static void test_the_line(void **state) {
    (void)state;
    FILE *file = tmpfile();
    assert_non_null(file);
    int saved = dup(STDERR_FILENO);
    assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
    log_warn("a %s", "text");
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    assert_int_equal(close(saved), 0);
    char line[200] = { 0 };
    rewind(file);
    assert_non_null(fgets(line, sizeof line, file));
    static const char pattern[] =
        "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}[.][0-9]{3} warn  a text\n$";
    regex_t form;
    assert_int_equal(regcomp(&form, pattern, REG_EXTENDED), 0);
    assert_int_equal(regexec(&form, line, 0, NULL, 0), 0);
    regfree(&form);
    assert_null(fgets(line, sizeof line, file));
    assert_int_equal(fclose(file), 0);
}

/* The line that a warning becomes when JOURNAL_STREAM names stderr, or a file beside it. */
static void read_journal_line(unsigned long long inode_offset, char *ret, int size) {
    FILE *file = tmpfile();
    char stream[64];
    struct stat info;
    assert_non_null(file);
    int saved = dup(STDERR_FILENO);
    assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
    assert_int_equal(fstat(STDERR_FILENO, &info), 0);
    snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)info.st_dev,
             (unsigned long long)info.st_ino + inode_offset);
    assert_int_equal(setenv("JOURNAL_STREAM", stream, 1), 0);
    log_find_journal();
    log_warn("a %s", "text");
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    assert_int_equal(close(saved), 0);
    rewind(file);
    assert_non_null(fgets(ret, size, file));
    assert_int_equal(fclose(file), 0);
}

static void test_the_journal_gets_the_priority(void **state) {
    (void)state;
    char line[200];
    read_journal_line(0, line, sizeof line);
    assert_string_equal(line, "<4>a text\n");
}

static void test_a_file_that_is_not_the_journal_gets_the_time(void **state) {
    (void)state;
    char line[200];
    read_journal_line(1, line, sizeof line);
    assert_non_null(strstr(line, " warn  a text\n"));
    assert_int_equal(unsetenv("JOURNAL_STREAM"), 0);
    log_find_journal();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_levels_have_names, quiet),
        cmocka_unit_test_teardown(test_levels_let_through, quiet),
        cmocka_unit_test_teardown(test_long_lines_are_cut, quiet),
        cmocka_unit_test_teardown(test_a_stranger_cannot_begin_a_line, quiet),
        cmocka_unit_test_teardown(test_the_line, quiet),
        cmocka_unit_test_teardown(test_the_journal_gets_the_priority, quiet),
        cmocka_unit_test_teardown(test_a_file_that_is_not_the_journal_gets_the_time, quiet),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
