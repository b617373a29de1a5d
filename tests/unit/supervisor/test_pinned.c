/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include <stdio.h>

#include "supervisor/pinned.h"

static const struct load_settings unset = LOAD_SETTINGS_UNSET;

static void expect(const struct pinned *pinned, const char *json) {
    struct buf text = BUF_INIT(4096);
    pinned_format(pinned, &text);
    assert_string_equal(buf_str(&text), json);
    buf_clear(&text);
}

static void test_a_newer_pin_of_the_same_name_replaces_the_older(void **state) {
    (void)state;
    struct pinned pinned = { 0 };
    struct load_settings wide = unset;
    wide.context_length = 4096;
    pinned_put(&pinned, "a", "m", MSEC_NEVER, &unset);
    pinned_put(&pinned, "m", "m", 1000, &unset);
    pinned_put(&pinned, "a", "n", 2500, &wide);
    expect(&pinned,
           "[{\"model\":\"m\",\"ttl\":1.0},"
           "{\"context_length\":4096,\"model\":\"n\",\"identifier\":\"a\",\"ttl\":2.5}]");
    assert_true(pinned_set_ttl(&pinned, "m", MSEC_NEVER));
    assert_false(pinned_set_ttl(&pinned, "n", 1));
    assert_true(pinned_forget(&pinned, "a"));
    assert_false(pinned_forget(&pinned, "a"));
    expect(&pinned, "[{\"model\":\"m\"}]");
    pinned_clear(&pinned);
    expect(&pinned, "[]");
}

static void test_one_past_the_most_forgets_the_oldest(void **state) {
    (void)state;
    struct pinned pinned = { 0 };
    char name[16];
    for (int i = 0; i <= PINNED_MAX; i++) {
        snprintf(name, sizeof name, "i%d", i);
        pinned_put(&pinned, name, "m", MSEC_NEVER, &unset);
    }
    assert_int_equal(pinned.count, PINNED_MAX);
    assert_false(pinned_has(&pinned, "i0"));
    assert_true(pinned_has(&pinned, "i1"));
    pinned_put(&pinned, "i1", "n", MSEC_NEVER,
               &unset); /* of which there is one: nobody has to go */
    assert_true(pinned_has(&pinned, "i2"));
    pinned_clear(&pinned);
}

/* What the request had is gone when it is written. */
static void test_a_pin_has_its_own_names_of_adapters(void **state) {
    (void)state;
    struct pinned pinned = { 0 };
    struct load_settings adapted = unset;
    char name[] = "a.gguf";
    adapted.adapters = (struct load_adapters){ 1, { { name, 0.5 } } };
    pinned_put(&pinned, "m", "m", MSEC_NEVER, &adapted);
    name[0] = 'b';
    expect(&pinned, "[{\"adapters\":[{\"path\":\"a.gguf\",\"scale\":0.5}],\"model\":\"m\"}]");
    pinned_put(&pinned, "m", "m", MSEC_NEVER, &adapted);
    expect(&pinned, "[{\"adapters\":[{\"path\":\"b.gguf\",\"scale\":0.5}],\"model\":\"m\"}]");
    pinned_clear(&pinned);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_newer_pin_of_the_same_name_replaces_the_older),
        cmocka_unit_test(test_a_pin_has_its_own_names_of_adapters),
        cmocka_unit_test(test_one_past_the_most_forgets_the_oldest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
