/* SPDX-License-Identifier: MIT */
/* When an idle daemon leaves. With sockets and clients: tests/e2e/service.test.js. */
#include "cmocka_prelude.h"

#include "daemon/idle_exit.h"

static const struct idle_facts nothing;

static void test_it_leaves_when_it_has_been_idle_for_so_long(void **state) {
    (void)state;
    struct idle_exit e;
    idle_exit_init(&e, 10000);
    assert_int_equal(idle_exit_at(&e, &nothing, 500), 10500);
    assert_int_equal(idle_exit_at(&e, &nothing, 7000), 10500); /* a look changes nothing */
    assert_int_equal(idle_exit_at(&e, &nothing, 10500), 10500);
}

static void test_anything_to_do_begins_the_time_anew(void **state) {
    (void)state;
    static const struct idle_facts busy[] = {
        { .instances = 1 },    { .connections = 1 }, { .downloads = 1 },
        { .reloading = true }, { .stopping = true },
    };
    for (size_t i = 0; i < sizeof busy / sizeof busy[0]; i++) {
        struct idle_exit e;
        idle_exit_init(&e, 10000);
        assert_int_equal(idle_exit_at(&e, &busy[i], 0), MSEC_NEVER);
        assert_int_equal(idle_exit_at(&e, &nothing, 1000), 11000);
        assert_int_equal(idle_exit_at(&e, &busy[i], 10999), MSEC_NEVER);
        assert_int_equal(idle_exit_at(&e, &busy[i], 50000), MSEC_NEVER);
        assert_int_equal(idle_exit_at(&e, &nothing, 60000), 70000);
    }
}

static void test_without_the_option_it_stays(void **state) {
    (void)state;
    struct idle_exit e;
    idle_exit_init(&e, MSEC_NEVER);
    assert_int_equal(idle_exit_at(&e, &nothing, 0), MSEC_NEVER);
    assert_int_equal(idle_exit_at(&e, &nothing, 1000000), MSEC_NEVER);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_leaves_when_it_has_been_idle_for_so_long),
        cmocka_unit_test(test_anything_to_do_begins_the_time_anew),
        cmocka_unit_test(test_without_the_option_it_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
