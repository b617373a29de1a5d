/* SPDX-License-Identifier: MIT */
#include "engine/prefix.h"

#include "cmocka_prelude.h"

static const int32_t a[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
static const int32_t b[] = { 1, 2, 9, 9, 9, 9, 9, 9 };
static const int32_t c[] = { 7, 7, 7 };

static struct prefix_choice choose(const struct prefix_slot *slots, int count,
                                   struct prefix_prompt prompt, bool can_share) {
    return prefix_choose(slots, count, &prompt, can_share);
}

static void test_common_beginning(void **state) {
    (void)state;
    assert_int_equal(prefix_common(a, 8, b, 8), 2);
    assert_int_equal(prefix_common(a, 8, a, 5), 5);
    assert_int_equal(prefix_common(a, 8, c, 3), 0);
    assert_int_equal(prefix_common(NULL, 0, a, 8), 0);
}

static void test_no_free_slot(void **state) {
    (void)state;
    struct prefix_slot slots[] = { { a, 8, false, 1, 0 }, { c, 3, false, 2, 0 } };
    assert_int_equal(choose(slots, 2, (struct prefix_prompt){ a, 8, 0 }, true).slot, -1);
}

static void test_the_conversation_goes_on_in_its_slot(void **state) {
    (void)state;
    struct prefix_slot slots[] = { { NULL, 0, true, 0, 0 },
                                   { a, 5, true, 9, 0 },
                                   { a, 3, true, 1, 0 } };
    struct prefix_choice choice = choose(slots, 3, (struct prefix_prompt){ a, 8, 0 }, true);
    assert_int_equal(choice.slot, 1);
    assert_int_equal(choice.donor, 1);
    assert_int_equal(choice.count, 5);
}

static void test_one_token_is_left_to_process(void **state) {
    (void)state;
    struct prefix_slot slots[] = { { a, 8, true, 1, 0 } };
    assert_int_equal(choose(slots, 1, (struct prefix_prompt){ a, 8, 0 }, true).count, 7);
    assert_int_equal(choose(slots, 1, (struct prefix_prompt){ a, 4, 0 }, true).count, 3);
}

/* Cells in another order are summed up in another order: the answer could differ. */
static void test_a_repeated_prompt_stays_in_its_slot(void **state) {
    (void)state;
    struct prefix_slot slots[] = { { a, 8, true, 9, 0 }, { NULL, 0, true, 0, 0 } };
    struct prefix_choice choice = choose(slots, 2, (struct prefix_prompt){ a, 3, 0 }, true);
    assert_int_equal(choice.slot, 0);
    assert_int_equal(choice.donor, 0);
    assert_int_equal(choice.count, 2);
    const int32_t other[] = { 1, 2, 9 };
    assert_int_equal(choose(slots, 2, (struct prefix_prompt){ other, 3, 0 }, true).slot, 1);
    assert_int_equal(choose(slots, 2, (struct prefix_prompt){ c, 1, 0 }, true).slot, 1);
}

static void test_a_short_common_beginning_takes_nobodys_place(void **state) {
    (void)state;
    struct prefix_slot slots[] = { { a, 8, true, 9, 0 }, { NULL, 0, true, 0, 0 } };
    struct prefix_choice choice = choose(slots, 2, (struct prefix_prompt){ b, 8, 0 }, true);
    assert_int_equal(choice.slot, 1);
    assert_int_equal(choice.donor, 0);
    assert_int_equal(choice.count, 2);
    choice = choose(slots, 2, (struct prefix_prompt){ b, 8, 0 }, false);
    assert_int_equal(choice.slot, 1);
    assert_int_equal(choice.donor, -1);
    assert_int_equal(choice.count, 0);
}

static void test_a_busy_slot_can_give_but_not_take(void **state) {
    (void)state;
    struct prefix_slot slots[] = { { a, 8, false, 9, 0 }, { c, 3, true, 1, 0 } };
    struct prefix_choice choice = choose(slots, 2, (struct prefix_prompt){ a, 8, 0 }, true);
    assert_int_equal(choice.slot, 1);
    assert_int_equal(choice.donor, 0);
    assert_int_equal(choice.count, 7);
}

static void test_else_the_least_recently_used(void **state) {
    (void)state;
    struct prefix_slot slots[] = { { c, 3, true, 5, 0 },
                                   { c, 3, true, 2, 0 },
                                   { c, 3, true, 7, 0 } };
    struct prefix_choice choice = choose(slots, 3, (struct prefix_prompt){ a, 8, 0 }, true);
    assert_int_equal(choice.slot, 1);
    assert_int_equal(choice.donor, -1);
    slots[2].last_used = 0;
    slots[2].free = false;
    assert_int_equal(choose(slots, 3, (struct prefix_prompt){ a, 8, 0 }, true).slot, 1);
}

static void test_equal_conversations_least_recently_used(void **state) {
    (void)state;
    struct prefix_slot slots[] = { { a, 5, true, 5, 0 }, { a, 5, true, 2, 0 } };
    assert_int_equal(choose(slots, 2, (struct prefix_prompt){ a, 8, 0 }, true).slot, 1);
}

/* A session whose history was shortened takes its own place, not that of another one. */
static void test_a_key_finds_the_conversation_that_began_anew(void **state) {
    (void)state;
    struct prefix_slot slots[] = { { c, 3, true, 2, 7 }, { c, 3, true, 5, 9 } };
    assert_int_equal(choose(slots, 2, (struct prefix_prompt){ a, 8, 9 }, true).slot, 1);
    assert_int_equal(choose(slots, 2, (struct prefix_prompt){ a, 8, 8 }, true).slot, 0);
    assert_int_equal(choose(slots, 2, (struct prefix_prompt){ a, 8, 0 }, true).slot, 0);
    slots[0].count = 0; /* an empty one costs nobody anything */
    assert_int_equal(choose(slots, 2, (struct prefix_prompt){ a, 8, 9 }, true).slot, 0);
    slots[0] = (struct prefix_slot){ a, 5, true, 1, 7 }; /* what goes on comes first */
    assert_int_equal(choose(slots, 2, (struct prefix_prompt){ a, 8, 9 }, true).slot, 0);
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
        cmocka_unit_test(test_a_key_finds_the_conversation_that_began_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
