/* SPDX-License-Identifier: MIT */
/* The rules for browsers: which names are this machine's, which pages its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/access.h"

static const struct access_names names = { .machine = "box.lan", .bound = "models.home" };

static void test_own_hosts(void **state) {
    static const char *const own[] = {
        "localhost",
        "LOCALHOST:1234",
        "localhost.",
        "localhost:",
        "app.localhost:1234",
        "127.0.0.1",
        "127.0.0.1:1234",
        "10.1.2.3:80",
        "192.168.0.7",
        "[::1]",
        "[::1]:1234",
        "[fe80::1]:1234",
        "[::ffff:127.0.0.1]:1",
        "box.lan",
        "Box.LAN:1234",
        "box",
        "box:1234",
        "box.local",
        "box.local.:1234",
        "models.home",
        "host.docker.internal:1234",
        "host.containers.internal",
    };
    (void)state;
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        if (!access_host_is_own(own[i], &names)) fail_msg("\"%s\" is own", own[i]);
    }
}

static void test_foreign_hosts(void **state) {
    static const char *const foreign[] = {
        "",
        ":",
        ":1234",
        "evil.example",
        "evil.example:1234",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "evillocalhost",
        ".localhost",
        "127.0.0.1:99999",
        "127.0.0.1:12a",
        "127.0.0.1 ",
        "[::1",
        "[::1]x",
        "[::1]1234",
        "::1",
        "[]",
        "[localhost]",
        "[127.0.0.1]",
        "2130706433",
        "0x7f.1",
        "boxer",
        "box.evil.example",
        "box.lan.example",
        "models.home.example",
        "localhost@evil.example",
        "localhost/evil.example",
    };
    (void)state;
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        if (access_host_is_own(foreign[i], &names)) fail_msg("\"%s\" is foreign", foreign[i]);
    }
    char longest[300];
    memset(longest, 'a', sizeof longest);
    memcpy(longest + sizeof longest - 11, ".localhost", 11);
    assert_false(access_host_is_own(longest, &names));
    assert_true(access_host_is_own(longest + 50, &names));
}

static void test_machine_without_a_name(void **state) {
    static const struct access_names nameless = { .machine = "", .bound = "::" };
    (void)state;
    assert_false(access_host_is_own(".local", &nameless));
    assert_false(access_host_is_own("a.local", &nameless));
    assert_true(access_host_is_own("localhost", &nameless));
}

static void test_origins(void **state) {
    static const struct {
        const char *origin;
        const char *host;
        bool same;
    } rows[] = {
        { "http://localhost:1234", "localhost:1234", true },
        { "http://LocalHost:1234", "localhost:1234", true },
        { "http://localhost", "localhost", true },
        { "http://localhost:80", "localhost", true },
        { "http://localhost", "localhost:80", true },
        { "https://localhost", "localhost:443", true },
        { "http://[::1]:1234", "[::1]:1234", true },
        { "http://localhost:1234", "127.0.0.1:1234", false },
        { "http://localhost:3000", "localhost:1234", false },
        { "http://localhost", "localhost:1234", false },
        { "https://localhost", "localhost:80", false },
        { "http://evil.example:1234", "localhost:1234", false },
        { "null", "localhost:1234", false },
        { "", "localhost:1234", false },
        { "http://", "localhost:1234", false },
        { "file://localhost:1234", "localhost:1234", false },
        { "chrome-extension://localhost:1234", "localhost:1234", false },
        { "http://localhost:1234/", "localhost:1234", false },
        { "http://localhost:1234", "", false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (access_origin_is_same(rows[i].origin, rows[i].host) != rows[i].same) {
            fail_msg("\"%s\" and \"%s\"", rows[i].origin, rows[i].host);
        }
    }
}

static void test_check_says_what_to_do(void **state) {
    struct error err = { .code = ERR_NONE };
    (void)state;
    assert_true(access_check("localhost:1234", NULL, &names, &err));
    assert_true(access_check(NULL, NULL, &names, &err)); /* HTTP/1.0: no browser */
    assert_true(access_check("localhost", "http://localhost", &names, &err));
    assert_int_equal(err.code, ERR_NONE);
    assert_false(access_check("evil.example", NULL, &names, &err));
    assert_int_equal(err.code, ERR_FORBIDDEN);
    assert_non_null(strstr(err.text, "\"evil.example\""));
    assert_non_null(strstr(err.text, "setting cors"));
    assert_false(access_check("localhost", "https://page.example", &names, &err));
    assert_non_null(strstr(err.text, "\"https://page.example\""));
    assert_false(access_check(NULL, "https://page.example", &names, &err));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_hosts),
        cmocka_unit_test(test_foreign_hosts),
        cmocka_unit_test(test_machine_without_a_name),
        cmocka_unit_test(test_origins),
        cmocka_unit_test(test_check_says_what_to_do),
    };
    return cmocka_run_group_tests_name("http access", tests, NULL, NULL);
}
