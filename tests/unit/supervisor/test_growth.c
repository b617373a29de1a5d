/* SPDX-License-Identifier: MIT */
/* Loaded workers that ask for more memory (Memory, rule 1). */
#include "scene.h"

#include <string.h>

static int64_t granted(int n, const char *field) {
    const char *text = puppet_heard(puppet(n), MSG_GRANT);
    assert_non_null(text);
    yyjson_doc *doc = yyjson_read(text, strlen(text), 0);
    int64_t value = yyjson_get_sint(yyjson_obj_get(yyjson_doc_get_root(doc), field));
    yyjson_doc_free(doc);
    return value;
}

static void three_loaded(struct scene *s) {
    static const char *const names[] = { "x", "y", "z" };
    for (int i = 0; i < 3; i++) {
        load_named(s, names[i], &s->told[i]);
        say(s, i, MSG_READY, "{\"parallel\":4,\"memory_bytes\":1000000}");
    }
}

static void test_memory_1_three_that_grow_keep_within_the_limit(void **state) {
    struct scene *s = *state;
    three_loaded(s);
    s->settings.memory_limit = 4000000;
    supervisor_settings_changed(s->sup);
    turn(s);
    for (int i = 0; i < 3; i++) {
        say(s, i, MSG_GROW, "{\"ask\":7,\"bytes\":1400000,\"least_bytes\":1300000}");
        assert_int_equal(granted(i, "ask"), 7);
    }
    assert_int_equal(granted(0, "bytes"), 1400000);
    assert_int_equal(granted(1, "bytes"), 1400000);
    assert_int_equal(granted(2, "bytes"), 0); /* refused */
    assert_int_equal(granted(2, "most_bytes"), 1200000);
    assert_int_equal(granted(2, "limit_bytes"), 4000000);
    say(s, 0, MSG_MEMORY, "{\"memory_bytes\":1200000}"); /* gives the rest back */
    say(s, 2, MSG_GROW, "{\"ask\":8,\"bytes\":1400000,\"least_bytes\":1300000}");
    assert_int_equal(granted(2, "bytes"), 1400000);
}

static void test_memory_1_what_is_under_way_is_reserved(void **state) {
    struct scene *s = *state;
    three_loaded(s);
    s->settings.memory_limit = 4000000;
    say(s, 0, MSG_GROW, "{\"ask\":1,\"bytes\":1900000,\"least_bytes\":1900000}");
    say(s, 0, MSG_MEMORY, "{\"memory_bytes\":1000100,\"reserved_bytes\":1900000}");
    say(s, 1, MSG_GROW, "{\"ask\":1,\"bytes\":1200000,\"least_bytes\":1200000}");
    assert_int_equal(granted(1, "bytes"), 0);
    assert_int_equal(granted(1, "most_bytes"), 1100000);
}

static void test_memory_1_a_limit_lowered_later_reaches_the_workers(void **state) {
    struct scene *s = *state;
    three_loaded(s);
    supervisor_settings_changed(s->sup);
    turn(s);
    assert_null(puppet_heard(puppet(0), MSG_GRANT)); /* another setting */
    s->settings.memory_limit = 2500000;
    supervisor_settings_changed(s->sup);
    turn(s);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(granted(i, "ask"), 0);
        assert_int_equal(granted(i, "bytes"), 500000);
    }
    s->settings.memory_limit = 0;
    supervisor_settings_changed(s->sup);
    turn(s);
    assert_true(granted(0, "bytes") > INT64_C(1) << 50);
}

static void test_a_worker_that_asks_for_nonsense_is_killed(void **state) {
    struct scene *s = *state;
    three_loaded(s);
    say(s, 1, MSG_GROW, "{\"ask\":1,\"bytes\":1,\"least_bytes\":2}");
    assert_true(puppet_was_killed(puppet(1)));
    assert_false(puppet_was_killed(puppet(0)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_memory_1_three_that_grow_keep_within_the_limit),
        TEST(test_memory_1_what_is_under_way_is_reserved),
        TEST(test_memory_1_a_limit_lowered_later_reaches_the_workers),
        TEST(test_a_worker_that_asks_for_nonsense_is_killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
