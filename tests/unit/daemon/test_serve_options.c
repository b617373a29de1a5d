/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/serve_options.h"

static bool parse(const char *line, struct serve_options *ret, struct error *err) {
    static char text[512];
    char *argv[32];
    int argc = 0;
    snprintf(text, sizeof text, "%s", line);
    char *rest = text;
    for (char *word; (word = strsep(&rest, " "));) argv[argc++] = word;
    argv[argc] = NULL;
    return serve_options_parse(argc, argv, ret, err);
}

static int clear_environment(void **state) {
    (void)state;
    const char *const names[] = { "DOZE_HOST",      "DOZE_PORT",      "DOZE_MODELS_DIR",
                                  "DOZE_STATE_DIR", "XDG_STATE_HOME", "XDG_DATA_HOME",
                                  "HF_HOME",        "HF_HUB_CACHE" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) unsetenv(names[i]);
    return setenv("HOME", "/home/somebody", 1);
}

static void test_defaults(void **state) {
    (void)state;
    struct serve_options o;
    struct error err;
    assert_true(parse("serve", &o, &err));
    assert_string_equal(o.host, "127.0.0.1");
    assert_int_equal(o.port, 1234);
    assert_string_equal(o.state_dir, "/home/somebody/.local/state/doze");
    assert_int_equal(o.model_dir_count, 3);
    assert_true(o.default_dirs);
    assert_string_equal(o.model_dirs[0], "/home/somebody/.local/share/doze/models");
    assert_string_equal(o.model_dirs[1], "/home/somebody/.lmstudio/models");
    assert_string_equal(o.model_dirs[2], "/home/somebody/.cache/huggingface/hub");
    serve_options_clear(&o);
}

static void test_flags_win_over_the_environment(void **state) {
    (void)state;
    struct serve_options o;
    struct error err;
    setenv("DOZE_PORT", "7", 1);
    setenv("DOZE_MODELS_DIR", "/a:/b", 1);
    assert_true(parse("serve", &o, &err));
    assert_int_equal(o.port, 7);
    assert_int_equal(o.model_dir_count, 2);
    assert_false(o.default_dirs);
    assert_string_equal(o.model_dirs[1], "/b");
    serve_options_clear(&o);
    assert_true(parse("serve --port 0 --models-dir /c --host ::1 --log-level debug", &o, &err));
    assert_int_equal(o.port, 0);
    assert_int_equal(o.model_dir_count, 1);
    assert_string_equal(o.host, "::1");
    assert_int_equal(o.log_level, LOG_LEVEL_DEBUG);
    serve_options_clear(&o);
}

static void test_it_stays_unless_told_to_leave_when_idle(void **state) {
    (void)state;
    struct serve_options o;
    struct error err;
    assert_true(parse("serve", &o, &err));
    assert_true(o.exit_when_idle == MSEC_NEVER);
    serve_options_clear(&o);
    assert_true(parse("serve --exit-when-idle 10m", &o, &err));
    assert_int_equal(o.exit_when_idle, 600000);
    serve_options_clear(&o);
}

static void test_wrong_usage_is_said(void **state) {
    (void)state;
    const char *const lines[] = { "serve --port 65536",
                                  "serve --port x",
                                  "serve --bogus",
                                  "serve --log-level loud",
                                  "serve extra",
                                  "serve --host",
                                  "serve --state-dir=",
                                  "serve --ready-fd x",
                                  "serve --exit-when-idle 0",
                                  "serve --exit-when-idle 999ms",
                                  "serve --exit-when-idle soon" };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct serve_options o;
        struct error err;
        assert_false(parse(lines[i], &o, &err));
        assert_true(strlen(err.text) > 10);
        serve_options_clear(&o);
    }
}

static void test_an_unknown_option_is_named(void **state) {
    (void)state;
    static const char *const lines[][2] = {
        { "serve --port 1 --bogus", "Unknown or incomplete option '--bogus'" },
        { "serve --bogus=1", "Unknown or incomplete option '--bogus=1'" },
        { "serve -x", "Unknown or incomplete option '-x'" },
        { "serve --host", "Unknown or incomplete option '--host'" }
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct serve_options o;
        struct error err;
        assert_false(parse(lines[i][0], &o, &err));
        assert_non_null(strstr(err.text, lines[i][1]));
        serve_options_clear(&o);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_defaults, clear_environment),
        cmocka_unit_test_setup(test_flags_win_over_the_environment, clear_environment),
        cmocka_unit_test_setup(test_it_stays_unless_told_to_leave_when_idle, clear_environment),
        cmocka_unit_test_setup(test_wrong_usage_is_said, clear_environment),
        cmocka_unit_test_setup(test_an_unknown_option_is_named, clear_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
