/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include <stdio.h>
#include <string.h>

#include "fleet/node_proof.h"

enum { NOW = 1000000000 };

static const struct node_pass pass = {
    .from = "a", .to = "b", .method = "GET", .path = "/v1/x", .at = NOW
};

static void assert_refused(const char *key, const char *value, const char *to, const char *path,
                           msec now, const char *word) {
    struct error err;
    struct node_pass asked = { .to = to, .method = "GET", .path = path, .at = now };
    assert_false(node_pass_check(key, value, &asked, &err));
    assert_int_equal(err.code, ERR_API_KEY);
    assert_non_null(strstr(err.text, word));
}

static void test_an_entry_is_proved_by_who_has_the_key(void **state) {
    (void)state;
    char proof[NODE_PROOF_SIZE];
    node_proof_of_entry("key", "a", "http://a", proof);
    assert_true(node_proof_fits("key", "a", "http://a", proof));
    assert_false(node_proof_fits("yek", "a", "http://a", proof));
    assert_false(node_proof_fits("key", "b", "http://a", proof));
    assert_false(node_proof_fits("key", "a", "http://b", proof)); /* led elsewhere */
    assert_false(node_proof_fits("key", "ah", "ttp://a", proof));
    assert_false(node_proof_fits("key", "a", "http://a", ""));
}

static void test_a_pass_lets_in_for_its_node_and_path(void **state) {
    (void)state;
    char value[NODE_PASS_SIZE];
    struct error err;
    node_pass_format("key", &pass, value);
    assert_true(node_pass_check("key", value, &pass, &err));
    assert_refused("yek", value, "b", "/v1/x", NOW, "fleet.key");
    assert_refused("", value, "b", "/v1/x", NOW, "fleet.key");
    assert_refused("key", value, "c", "/v1/x", NOW, "fleet.key");
    assert_refused("key", value, "b", "/v1/y", NOW, "fleet.key");
    struct node_pass asked = pass;
    asked.method = "DELETE";
    assert_false(node_pass_check("key", value, &asked, &err));
}

static void test_a_pass_ends(void **state) {
    (void)state;
    char value[NODE_PASS_SIZE];
    struct error err;
    node_pass_format("key", &pass, value);
    struct node_pass asked = pass;
    asked.at = NOW + NODE_PASS_SPAN;
    assert_true(node_pass_check("key", value, &asked, &err));
    asked.at = NOW - NODE_PASS_SPAN;
    assert_true(node_pass_check("key", value, &asked, &err));
    assert_refused("key", value, "b", "/v1/x", NOW + NODE_PASS_SPAN + 1, "clocks");
    assert_refused("key", value, "b", "/v1/x", NOW - NODE_PASS_SPAN - 1, "clocks");
}

static void test_what_is_no_pass_is_refused(void **state) {
    (void)state;
    static const char *const values[] = {
        "", "a", "a 5", "a b c", "a 5 zz", "a 99999999999999999999999999 00"
    };
    char value[NODE_PASS_SIZE + 1];
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        assert_refused("key", values[i], "b", "/v1/x", NOW, "");
    node_pass_format("key", &pass, value);
    size_t len = strlen(value);
    memcpy(value + len, "0", 2); /* one digit more */
    assert_refused("key", value, "b", "/v1/x", NOW, "");
    value[len - 1] = '\0'; /* one less */
    assert_refused("key", value, "b", "/v1/x", NOW, "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_entry_is_proved_by_who_has_the_key),
        cmocka_unit_test(test_a_pass_lets_in_for_its_node_and_path),
        cmocka_unit_test(test_a_pass_ends),
        cmocka_unit_test(test_what_is_no_pass_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
