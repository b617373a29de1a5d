/* SPDX-License-Identifier: MIT */
#include "base/user_dirs.h"

#include <stdlib.h>
#include <unistd.h>

#include "cmocka_prelude.h"

static int set_up(void **state) {
    (void)state;
    unsetenv("DOZE_STATE_DIR");
    unsetenv("XDG_STATE_HOME");
    return setenv("HOME", "/home/me", 1);
}

static void check_state_dir(const char *want) {
    char *dir = user_state_dir();
    assert_string_equal(dir, want);
    free(dir);
}

static void test_state_dir(void **state) {
    (void)state;
    check_state_dir("/home/me/.local/state/doze");
    setenv("XDG_STATE_HOME", "relative", 1); /* the specification: to be ignored */
    check_state_dir("/home/me/.local/state/doze");
    setenv("XDG_STATE_HOME", "/xdg", 1);
    check_state_dir("/xdg/doze");
    setenv("DOZE_STATE_DIR", "", 1);
    check_state_dir("/xdg/doze");
    setenv("DOZE_STATE_DIR", "own", 1);
    check_state_dir("own");
}

static void test_home(void **state) {
    (void)state;
    assert_string_equal(user_home(), "/home/me");
    unsetenv("HOME");
    assert_int_equal(user_home()[0], '/'); /* of the user database */
    setenv("HOME", "", 1);
    assert_int_equal(user_home()[0], '/');
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_state_dir, set_up),
        cmocka_unit_test_setup(test_home, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
