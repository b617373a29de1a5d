/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include <stdio.h>

#include "supervisor/pinned.h"

static const struct load_settings unsaid = LOAD_SETTINGS_UNSAID;

static void expect(const struct kept *kept, const char *json) {
    struct buf text = BUF_INIT(4096);
    kept_format(kept, &text);
    assert_string_equal(buf_str(&text), json);
    buf_clear(&text);
}

static void test_a_wish_is_replaced_by_a_newer_one_of_its_name(void **state) {
    (void)state;
    struct kept kept = { 0 };
    struct load_settings wide = unsaid;
    wide.context_length = 4096;
    kept_put(&kept, "a", "m", MSEC_NEVER, &unsaid);
    kept_put(&kept, "m", "m", 1000, &unsaid);
    kept_put(&kept, "a", "n", 2500, &wide);
    expect(&kept,
           "[{\"model\":\"m\",\"ttl\":1.0},"
           "{\"context_length\":4096,\"model\":\"n\",\"identifier\":\"a\",\"ttl\":2.5}]");
    assert_true(kept_set_ttl(&kept, "m", MSEC_NEVER));
    assert_false(kept_set_ttl(&kept, "n", 1));
    assert_true(kept_forget(&kept, "a"));
    assert_false(kept_forget(&kept, "a"));
    expect(&kept, "[{\"model\":\"m\"}]");
    kept_clear(&kept);
    expect(&kept, "[]");
}

static void test_one_past_the_most_forgets_the_oldest(void **state) {
    (void)state;
    struct kept kept = { 0 };
    char name[16];
    for (int i = 0; i <= KEPT_MAX; i++) {
        snprintf(name, sizeof name, "i%d", i);
        kept_put(&kept, name, "m", MSEC_NEVER, &unsaid);
    }
    assert_int_equal(kept.count, KEPT_MAX);
    assert_false(kept_has(&kept, "i0"));
    assert_true(kept_has(&kept, "i1"));
    kept_put(&kept, "i1", "n", MSEC_NEVER,
             &unsaid); /* of which there is one: nobody has to go */
    assert_true(kept_has(&kept, "i2"));
    kept_clear(&kept);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_wish_is_replaced_by_a_newer_one_of_its_name),
        cmocka_unit_test(test_one_past_the_most_forgets_the_oldest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
