/* SPDX-License-Identifier: MIT */
/* What is said about a server that other machines reach. */
#include "cmocka_prelude.h"

#include <string.h>

#include "daemon/exposure.h"

static const char *said(const char *host, bool has_key, bool has_tls) {
    static char text[EXPOSURE_SIZE];
    struct exposure exposure = { .host = host, .has_key = has_key, .has_tls = has_tls };
    memset(text, 'x', sizeof text);
    exposure_warn(&exposure, text);
    return text;
}

static void test_nothing_if_nobody_else_reaches_it(void **state) {
    (void)state;
    for (int i = 0; i < 4; i++) assert_string_equal(said(NULL, i & 1, i & 2), "");
}

static void test_nothing_with_key_and_tls(void **state) {
    (void)state;
    assert_string_equal(said("0.0.0.0", true, true), "");
}

static void test_what_is_missing_is_said_in_one_sentence(void **state) {
    (void)state;
    assert_string_equal(said("::", false, false),
                        "Every machine that reaches :: can use this server, and read what "
                        "others send; create a key with `doze token create` and set tls_cert.");
    assert_string_equal(said("::", false, true), "Every machine that reaches :: can use this "
                                                 "server; create a key with `doze token "
                                                 "create`.");
    assert_string_equal(said("10.0.0.1", true, false),
                        "Keys and prompts cross the network to 10.0.0.1 readable for others; "
                        "set tls_cert, or let a proxy with TLS stand before it.");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_if_nobody_else_reaches_it),
        cmocka_unit_test(test_nothing_with_key_and_tls),
        cmocka_unit_test(test_what_is_missing_is_said_in_one_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
