/* SPDX-License-Identifier: MIT */
#include "engine/prefix.h"

#include "cmocka_prelude.h"

static const int32_t a[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
static const int32_t b[] = { 1, 2, 9, 9, 9, 9, 9, 9 };
static const int32_t c[] = { 7, 7, 7 };

static void test_common_beginning(void **state) {
    (void)state;
    assert_int_equal(prefix_common(a, 8, b, 8), 2);
    assert_int_equal(prefix_common(a, 8, a, 5), 5);
    assert_int_equal(prefix_common(a, 8, c, 3), 0);
    assert_int_equal(prefix_common(NULL, 0, a, 8), 0);
}

static void test_no_free_slot(void **state) {
    (void)state;
    struct prefix_slot slots[] = { { a, 8, false, 1 }, { c, 3, false, 2 } };
    assert_int_equal(prefix_choose(slots, 2, a, 8, true).slot, -1);
}

static void test_the_conversation_goes_on_in_its_slot(void **state) {
    (void)state;
    struct prefix_slot slots[] = { { NULL, 0, true, 0 }, { a, 5, true, 9 }, { a, 3, true, 1 } };
    struct prefix_choice choice = prefix_choose(slots, 3, a, 8, true);
    assert_int_equal(choice.slot, 1);
    assert_int_equal(choice.donor, 1);
    assert_int_equal(choice.count, 5);
}

static void test_one_token_is_left_to_process(void **state) {
    (void)state;
    struct prefix_slot slots[] = { { a, 8, true, 1 } };
    assert_int_equal(prefix_choose(slots, 1, a, 8, true).count, 7);
    assert_int_equal(prefix_choose(slots, 1, a, 4, true).count, 3);
}

/* Cells in another order are summed up in another order: the answer could differ. */
static void test_a_repeated_prompt_stays_in_its_slot(void **state) {
    (void)state;
    struct prefix_slot slots[] = { { a, 8, true, 9 }, { NULL, 0, true, 0 } };
    struct prefix_choice choice = prefix_choose(slots, 2, a, 3, true);
    assert_int_equal(choice.slot, 0);
    assert_int_equal(choice.donor, 0);
    assert_int_equal(choice.count, 2);
    const int32_t other[] = { 1, 2, 9 };
    assert_int_equal(prefix_choose(slots, 2, other, 3, true).slot, 1);
    assert_int_equal(prefix_choose(slots, 2, c, 1, true).slot, 1);
}

static void test_a_short_common_beginning_takes_nobodys_place(void **state) {
    (void)state;
    struct prefix_slot slots[] = { { a, 8, true, 9 }, { NULL, 0, true, 0 } };
    struct prefix_choice choice = prefix_choose(slots, 2, b, 8, true);
    assert_int_equal(choice.slot, 1);
    assert_int_equal(choice.donor, 0);
    assert_int_equal(choice.count, 2);
    choice = prefix_choose(slots, 2, b, 8, false);
    assert_int_equal(choice.slot, 1);
    assert_int_equal(choice.donor, -1);
    assert_int_equal(choice.count, 0);
}

static void test_a_busy_slot_can_give_but_not_take(void **state) {
    (void)state;
    struct prefix_slot slots[] = { { a, 8, false, 9 }, { c, 3, true, 1 } };
    struct prefix_choice choice = prefix_choose(slots, 2, a, 8, true);
    assert_int_equal(choice.slot, 1);
    assert_int_equal(choice.donor, 0);
    assert_int_equal(choice.count, 7);
}

static void test_else_the_least_recently_used(void **state) {
    (void)state;
    struct prefix_slot slots[] = { { c, 3, true, 5 }, { c, 3, true, 2 }, { c, 3, true, 7 } };
    struct prefix_choice choice = prefix_choose(slots, 3, a, 8, true);
    assert_int_equal(choice.slot, 1);
    assert_int_equal(choice.donor, -1);
    slots[2].last_used = 0;
    slots[2].free = false;
    assert_int_equal(prefix_choose(slots, 3, a, 8, true).slot, 1);
}

static void test_equal_conversations_least_recently_used(void **state) {
    (void)state;
    struct prefix_slot slots[] = { { a, 5, true, 5 }, { a, 5, true, 2 } };
    assert_int_equal(prefix_choose(slots, 2, a, 8, true).slot, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_common_beginning),
        cmocka_unit_test(test_no_free_slot),
        cmocka_unit_test(test_the_conversation_goes_on_in_its_slot),
        cmocka_unit_test(test_one_token_is_left_to_process),
        cmocka_unit_test(test_a_repeated_prompt_stays_in_its_slot),
        cmocka_unit_test(test_a_short_common_beginning_takes_nobodys_place),
        cmocka_unit_test(test_a_busy_slot_can_give_but_not_take),
        cmocka_unit_test(test_else_the_least_recently_used),
        cmocka_unit_test(test_equal_conversations_least_recently_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
