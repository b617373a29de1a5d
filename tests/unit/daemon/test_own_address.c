/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include "daemon/own_address.h"

static void test_towards_this_machine_it_is_that_address(void **state) {
    (void)state;
    char text[OWN_ADDRESS_SIZE];
    assert_true(own_address_towards("http://127.0.0.1:2379", text));
    assert_string_equal(text, "127.0.0.1");
    assert_true(own_address_towards("https://127.0.0.1/ http://etcd.example", text));
    assert_string_equal(text, "127.0.0.1");
    if (own_address_towards("http://[::1]:2379", text)) /* not every machine has IPv6 */
        assert_string_equal(text, "::1");
}

static void test_names_and_what_is_no_url_have_none(void **state) {
    (void)state;
    static const char *const urls[] = { "http://etcd.example:2379", "http://localhost:2379",
                                        "10.0.0.1:2379", "http://", "" };
    char text[OWN_ADDRESS_SIZE];
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++)
        assert_false(own_address_towards(urls[i], text));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_towards_this_machine_it_is_that_address),
        cmocka_unit_test(test_names_and_what_is_no_url_have_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
