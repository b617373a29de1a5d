/* SPDX-License-Identifier: MIT */
#include "base/byte_budget.h"

#include "cmocka_prelude.h"

static void test_what_is_held_leaves_less_room(void **state) {
    struct byte_budget budget = { .total = 100 };
    struct byte_hold first, second = { 0 };
    struct error err;
    (void)state;
    assert_true(byte_hold_take(&budget, 60, 0, &first, &err));
    assert_false(byte_hold_take(&budget, 41, 0, &second, &err));
    assert_int_equal(err.code, ERR_QUEUE_FULL);
    assert_int_equal(err.retry_after, 1);
    assert_true(byte_hold_take(&budget, 40, 0, &second, &err));
    byte_hold_release(&first);
    assert_int_equal(budget.held, 40);
    byte_hold_release(&first); /* once more: nothing */
    byte_hold_release(&second);
    assert_int_equal(budget.held, 0);
}

static void test_large_ones_leave_the_reserve_to_small_ones(void **state) {
    struct byte_budget budget = { .total = 100, .reserve = 20, .small = 10 };
    struct byte_hold hold;
    struct error err;
    (void)state;
    assert_true(byte_hold_take(&budget, 100, 0, &hold, &err));
    assert_false(byte_hold_take(&budget, 11, 0, &hold, &err));
    assert_true(byte_hold_take(&budget, 10, 0, &hold, &err));
    assert_true(byte_hold_take(&budget, 10, 0, &hold, &err));
    assert_false(byte_hold_take(&budget, 1, 0, &hold, &err));
}

static void test_what_is_larger_than_all_of_it_is_held_alone(void **state) {
    struct byte_budget budget = { .total = 100 };
    struct byte_hold large, small;
    struct error err;
    (void)state;
    assert_true(byte_hold_take(&budget, 1000, 0, &large, &err));
    assert_false(byte_hold_take(&budget, 1, 0, &small, &err));
    byte_hold_release(&large);
    assert_true(byte_hold_take(&budget, 1, 0, &small, &err));
    assert_false(byte_hold_take(&budget, 1000, 0, &large, &err));
    assert_true(byte_hold_take(&budget, 1000, 1, &large, &err)); /* of the same request */
}

static void test_a_part_of_a_hold_is_released_alone(void **state) {
    struct byte_budget budget = { .total = 100 };
    struct byte_hold whole, part;
    struct error err;
    (void)state;
    assert_true(byte_hold_take(&budget, 50, 0, &whole, &err));
    part = byte_hold_split(&whole, 20);
    assert_int_equal(budget.held, 50);
    byte_hold_release(&part);
    assert_int_equal(budget.held, 30);
    byte_hold_release(&whole);
    assert_int_equal(budget.held, 0);
}

static void test_without_a_budget_nothing_is_counted(void **state) {
    struct byte_hold hold;
    struct error err;
    (void)state;
    assert_true(byte_hold_take(NULL, 1000, 0, &hold, &err));
    struct byte_hold part = byte_hold_split(&hold, 1000);
    byte_hold_release(&part);
    byte_hold_release(&hold);
}

struct kept {
    struct byte_budget *budget;
    struct byte_hold holds[3];
    int dropped;
};

static void drop_one(void *ctx) {
    struct kept *kept = ctx;
    byte_hold_release(&kept->holds[kept->dropped++]);
}

static void keep_for_later(struct kept *kept) {
    struct error err;
    kept->budget->give_way = drop_one;
    kept->budget->ctx = kept;
    for (int i = 0; i < 3; i++) {
        assert_true(byte_hold_take(kept->budget, 20, 0, &kept->holds[i], &err));
        byte_hold_yield(&kept->holds[i]);
    }
}

static void test_what_is_kept_for_later_gives_way(void **state) {
    struct byte_budget budget = { .total = 100 };
    struct kept kept = { .budget = &budget };
    struct byte_hold hold;
    struct error err;
    (void)state;
    keep_for_later(&kept);
    assert_true(byte_budget_find_room(&budget, 40, 40));
    assert_int_equal(kept.dropped, 0);
    assert_true(byte_hold_take(&budget, 50, 0, &hold, &err));
    assert_int_equal(kept.dropped, 1);
    assert_int_equal(budget.held, 90);
    assert_false(byte_budget_find_room(&budget, 60, 60)); /* not with all of it: none goes */
    assert_int_equal(kept.dropped, 1);
    assert_true(byte_budget_find_room(&budget, 50, 50));
    assert_int_equal(kept.dropped, 3);
    byte_hold_release(&hold);
    assert_int_equal(budget.held, 0);
    assert_int_equal(budget.yields, 0);
}

static void test_what_is_larger_than_all_of_it_finds_none_kept_for_later(void **state) {
    struct byte_budget budget = { .total = 100 };
    struct kept kept = { .budget = &budget };
    struct byte_hold message, file;
    struct error err;
    (void)state;
    keep_for_later(&kept);
    assert_true(byte_hold_take(&budget, 40, 0, &message, &err));
    assert_true(byte_hold_take(&budget, 1000, 40, &file, &err));
    assert_int_equal(kept.dropped, 3);
}

static void test_what_grows_holds_as_much_as_there_is_room_for(void **state) {
    struct byte_budget budget = { .total = 100, .reserve = 20, .small = 10, .refusal = "No." };
    struct byte_hold answer = { .budget = &budget }, other = { .budget = &budget }, small;
    struct error err;
    (void)state;
    assert_true(byte_hold_grow(&answer, 60, &err));
    assert_true(byte_hold_grow(&answer, 50, &err)); /* never less */
    assert_int_equal(budget.held, 60);
    assert_true(byte_hold_grow(&other, 40, &err));
    assert_false(byte_hold_grow(&answer, 61, &err));
    assert_int_equal(err.code, ERR_QUEUE_FULL);
    assert_string_equal(err.text, "No.");
    assert_int_equal(answer.bytes, 60);
    assert_true(byte_hold_take(&budget, 1, 0, &small, &err));
    assert_true(byte_hold_grow(&small, 10, &err)); /* within the reserve */
    assert_false(byte_hold_grow(&small, 11, &err));
    byte_hold_release(&small);
    byte_hold_release(&other);
    assert_true(byte_hold_grow(&answer, 1000, &err)); /* alone */
    byte_hold_release(&answer);
    assert_int_equal(budget.held, 0);
}

static void test_what_grows_without_a_budget_is_not_counted(void **state) {
    struct byte_hold hold = { 0 };
    struct error err;
    (void)state;
    assert_true(byte_hold_grow(&hold, 1000, &err));
    byte_hold_release(&hold);
}

static void test_what_is_in_use_gives_way_no_more(void **state) {
    struct byte_budget budget = { .total = 100 };
    struct byte_hold kept;
    struct error err;
    (void)state;
    assert_true(byte_hold_take(&budget, 60, 0, &kept, &err));
    byte_hold_yield(&kept);
    byte_hold_stay(&kept);
    byte_hold_stay(&kept); /* once more: nothing */
    assert_int_equal(budget.yields, 0);
    assert_false(byte_budget_find_room(&budget, 50, 50));
    byte_hold_yield(&kept);
    assert_int_equal(budget.yields, 60);
    byte_hold_release(&kept);
    assert_int_equal(budget.yields, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_held_leaves_less_room),
        cmocka_unit_test(test_large_ones_leave_the_reserve_to_small_ones),
        cmocka_unit_test(test_what_is_larger_than_all_of_it_is_held_alone),
        cmocka_unit_test(test_a_part_of_a_hold_is_released_alone),
        cmocka_unit_test(test_without_a_budget_nothing_is_counted),
        cmocka_unit_test(test_what_is_kept_for_later_gives_way),
        cmocka_unit_test(test_what_is_larger_than_all_of_it_finds_none_kept_for_later),
        cmocka_unit_test(test_what_grows_holds_as_much_as_there_is_room_for),
        cmocka_unit_test(test_what_grows_without_a_budget_is_not_counted),
        cmocka_unit_test(test_what_is_in_use_gives_way_no_more),
    };
    return cmocka_run_group_tests_name("byte budget", tests, NULL, NULL);
}
