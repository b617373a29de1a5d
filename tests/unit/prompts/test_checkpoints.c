/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include <stdlib.h>

#include "prompts/checkpoints.h"

static void add(struct checkpoints *set, size_t tokens) {
    checkpoints_add(set, (struct checkpoint){ .tokens = tokens, .data = malloc(1) });
}

static void expect(const struct checkpoints *set, int count, const size_t *tokens) {
    assert_int_equal(set->count, count);
    for (int i = 0; i < count; i++) assert_int_equal(set->items[i].tokens, tokens[i]);
}

static void test_a_full_set_keeps_the_first_and_the_newest(void **state) {
    (void)state;
    struct checkpoints set = { 0 };
    for (size_t tokens = 100; tokens <= 600; tokens += 100) add(&set, tokens);
    expect(&set, 4, (size_t[]){ 100, 400, 500, 600 });
    checkpoints_cut(&set, 0);
}

static void test_what_is_behind_a_cut_is_gone(void **state) {
    (void)state;
    struct checkpoints set = { 0 };
    for (size_t tokens = 100; tokens <= 300; tokens += 100) add(&set, tokens);
    checkpoints_cut(&set, 200);
    expect(&set, 2, (size_t[]){ 100, 200 });
    checkpoints_cut(&set, 199);
    expect(&set, 1, (size_t[]){ 100 });
    checkpoints_cut(&set, 0);
    expect(&set, 0, NULL);
}

static void test_the_last_one_before_a_place(void **state) {
    (void)state;
    struct checkpoints set = { 0 };
    add(&set, 100);
    add(&set, 200);
    assert_null(checkpoints_before(&set, 99));
    assert_int_equal(checkpoints_before(&set, 100)->tokens, 100);
    assert_int_equal(checkpoints_before(&set, 199)->tokens, 100);
    assert_int_equal(checkpoints_before(&set, 5000)->tokens, 200);
    checkpoints_cut(&set, 0);
}

static void expect_plan(const struct checkpoints *set, size_t from, size_t common, size_t end,
                        struct checkpoint_marks marks) {
    struct checkpoint_marks planned = checkpoints_plan(set, from, common, end);
    assert_int_equal(planned.now, marks.now);
    assert_int_equal(planned.places[0], marks.places[0]);
    assert_int_equal(planned.places[1], marks.places[1]);
}

static void test_one_shortly_before_the_end(void **state) {
    (void)state;
    const struct checkpoints none = { 0 };
    expect_plan(&none, 0, 0, 1000, (struct checkpoint_marks){ .places = { 996 } });
    expect_plan(&none, 996, 0, 1000, (struct checkpoint_marks){ 0 }); /* it is behind */
    expect_plan(&none, 0, 0, 4, (struct checkpoint_marks){ 0 });
}

static void test_one_where_prompts_parted(void **state) {
    (void)state;
    const struct checkpoints none = { 0 };
    expect_plan(&none, 0, 256, 1000, (struct checkpoint_marks){ .places = { 256, 996 } });
    expect_plan(&none, 0, 255, 1000, (struct checkpoint_marks){ .places = { 996 } });
    expect_plan(&none, 300, 256, 1000, (struct checkpoint_marks){ .places = { 996 } });
    expect_plan(&none, 0, 931, 1000, (struct checkpoint_marks){ .places = { 931, 996 } });
    expect_plan(&none, 0, 932, 1000, (struct checkpoint_marks){ .places = { 996 } });
}

static void test_one_at_once_where_the_prompt_goes_on_from_there(void **state) {
    (void)state;
    struct checkpoints set = { 0 };
    struct checkpoint_marks now = { .now = true, .places = { 996 } };
    expect_plan(&set, 500, 500, 1000, now);
    add(&set, 400);
    expect_plan(&set, 500, 500, 1000, now);
    add(&set, 500); /* it has one there */
    now.now = false;
    expect_plan(&set, 500, 500, 1000, now);
    checkpoints_cut(&set, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_full_set_keeps_the_first_and_the_newest),
        cmocka_unit_test(test_what_is_behind_a_cut_is_gone),
        cmocka_unit_test(test_the_last_one_before_a_place),
        cmocka_unit_test(test_one_shortly_before_the_end),
        cmocka_unit_test(test_one_where_prompts_parted),
        cmocka_unit_test(test_one_at_once_where_the_prompt_goes_on_from_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
