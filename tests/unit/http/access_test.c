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

/* A pattern of origins; in one piece its first characters look like a comment. */
#define EVERY                                                                                  \
    "https:/"                                                                                  \
    "/"                                                                                        \
    "*."

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

static void test_lists_of_names(void **state) {
    static const struct {
        const char *list, *text;
        bool has;
    } rows[] = {
        { "", "", false },
        { "", "a", false },
        { "a.example", "A.Example", true },
        { "a.example,b.example", "b.example", true },
        { " a.example ,  b.example ", "b.example", true },
        { "a.example", "a.example.evil", false },
        { "a.example", "a.exampl", false },
        { "*.a.example", "b.a.example", true },
        { "*.a.example", "c.b.a.example", true },
        { "*.a.example", "a.example", false },
        { "*.a.example", ".a.example", false },
        { "*.a.example", "evila.example", false },
        { EVERY "a.example", "https://b.a.example", true },
        { EVERY "a.example", "http://b.a.example", false },
        { EVERY "a.example", "https://b.a.example:8443", false },
        { EVERY "a.example:8443", "https://b.a.example:8443", true },
        { EVERY "a.example", "https://evil.example:1/.a.example", false },
        { EVERY "a.example", "https://evil@.a.example", false },
        { EVERY "a.example", "https://evil.example/x.a.example", false },
        { "null", "null", true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (access_list_has(rows[i].list, rows[i].text) != rows[i].has)
            fail_msg("\"%s\" and \"%s\"", rows[i].list, rows[i].text);
    }
}

static void test_origins_of_apps_are_none_of_web_sites(void **state) {
    static const char *const apps[] = { "app://obsidian.md",
                                        "vscode-webview://1a2b",
                                        "null",
                                        "tauri://localhost",
                                        "file://",
                                        "file" };
    static const char *const sites[] = { "https://evil.example", "http://app",      "",
                                         "http://null",          "application://x", "nullx",
                                         "https://file://" };
    (void)state;
    for (size_t i = 0; i < sizeof apps / sizeof apps[0]; i++)
        assert_true(access_origin_is_local(apps[i]));
    for (size_t i = 0; i < sizeof sites / sizeof sites[0]; i++)
        assert_false(access_origin_is_local(sites[i]));
}

/* 0: refused; 1: let in; 2: let in, and the page may read the answer. */
static int check(const char *host, const char *origin, bool has_key, struct error *err) {
    static const struct access_rules rules = { false, "llm.example, *.lan.example",
                                               "https://chat.example" };
    struct access_request request = { host, origin, has_key };
    bool foreign;
    if (!access_check(&request, &names, &rules, &foreign, err)) {
        assert_int_equal(err->code, ERR_FORBIDDEN);
        return 0;
    }
    return foreign ? 2 : 1;
}

static void test_who_comes_in(void **state) {
    static const struct {
        const char *host, *origin;
        int plain, with_key;
    } rows[] = {
        { "localhost:1234", NULL, 1, 1 },
        { NULL, NULL, 1, 1 }, /* HTTP/1.0: no browser */
        { "localhost", "http://localhost", 1, 1 },
        { "evil.example", NULL, 0, 1 },
        { "evil.example:1234", "http://evil.example:1234", 0, 1 },
        { "llm.example:1234", NULL, 1, 1 },
        { "llm.example:1234", "http://llm.example:1234", 1, 1 },
        { "box.lan.example", NULL, 1, 1 },
        { "lan.example", NULL, 0, 1 },
        { "localhost:1234", "https://chat.example", 2, 2 },
        { "localhost:1234", "https://evil.example", 0, 0 },
        { NULL, "https://evil.example", 0, 0 },
        { "localhost:1234", "app://obsidian.md", 0, 2 },
        { "localhost:1234", "null", 0, 2 },
        { "evil.example", "https://chat.example", 0, 2 },
    };
    struct error err;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int plain = check(rows[i].host, rows[i].origin, false, &err);
        int with_key = check(rows[i].host, rows[i].origin, true, &err);
        if (plain != rows[i].plain || with_key != rows[i].with_key)
            fail_msg("row %zu: %d, %d", i, plain, with_key);
    }
}

static void test_check_says_what_to_do(void **state) {
    struct error err;
    (void)state;
    assert_int_equal(check("evil.example", NULL, false, &err), 0);
    assert_non_null(strstr(err.text, "\"evil.example\""));
    assert_non_null(strstr(err.text, "setting allowed_hosts."));
    assert_int_equal(check("localhost", "https://page.example", false, &err), 0);
    assert_non_null(strstr(err.text, "\"https://page.example\""));
    assert_non_null(strstr(err.text, "setting allowed_origins"));
    assert_int_equal(check("localhost", "app://obsidian.md", false, &err), 0);
    assert_non_null(strstr(err.text, "has to send an API key"));
    assert_non_null(strstr(err.text, "setting allowed_origins."));
}

static void test_cors_lets_everybody_in(void **state) {
    static const struct access_rules all = { true, "", "" };
    struct access_request request = { "evil.example", "https://evil.example", false };
    struct error err;
    bool foreign;
    (void)state;
    assert_true(access_check(&request, &names, &all, &foreign, &err));
    assert_true(foreign);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_hosts),
        cmocka_unit_test(test_foreign_hosts),
        cmocka_unit_test(test_machine_without_a_name),
        cmocka_unit_test(test_origins),
        cmocka_unit_test(test_lists_of_names),
        cmocka_unit_test(test_origins_of_apps_are_none_of_web_sites),
        cmocka_unit_test(test_who_comes_in),
        cmocka_unit_test(test_check_says_what_to_do),
        cmocka_unit_test(test_cors_lets_everybody_in),
    };
    return cmocka_run_group_tests_name("http access", tests, NULL, NULL);
}
