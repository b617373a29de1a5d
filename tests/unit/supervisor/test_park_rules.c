/* SPDX-License-Identifier: MIT */
/* Which workers stay parked, which loads may have them, who leaves first. */
#include "cmocka_prelude.h"

#include "supervisor/park_rules.h"

#define GB ((nbytes)1 << 30)

static struct park_case plenty(void) {
    return (struct park_case){ .mode = PARK_ON, .returns = true, .bytes = GB, .free = 2 * GB };
}

static void test_an_instance_that_may_return_leaves_its_worker(void **state) {
    (void)state;
    struct park_case c = plenty();
    assert_true(park_allows(&c));
    c.returns = false;
    assert_false(park_allows(&c));
}

static void test_nothing_is_parked_with_the_setting_off(void **state) {
    (void)state;
    struct park_case c = plenty();
    c.mode = PARK_OFF;
    assert_false(park_allows(&c));
}

static void test_by_default_eight_gigabytes_stay_free(void **state) {
    (void)state;
    struct park_case c = plenty();
    c.mode = PARK_AUTO;
    c.free = 9 * GB;
    assert_true(park_allows(&c));
    c.free--;
    assert_false(park_allows(&c));
    c.free = 7 * GB;
    assert_false(park_allows(&c));
}

static void test_switched_on_it_has_to_fit(void **state) {
    (void)state;
    struct park_case c = plenty();
    c.free = GB;
    assert_true(park_allows(&c));
    c.free--;
    assert_false(park_allows(&c));
}

static void test_nothing_is_parked_while_programs_stall(void **state) {
    (void)state;
    struct park_case c = plenty();
    c.under_stress = true;
    assert_false(park_allows(&c));
}

/* Memory that is not given back when it is wanted, or not asked for here. */
static void test_models_on_devices_or_locked_or_with_a_draft_are_not_parked(void **state) {
    (void)state;
    struct park_case device = plenty(), locked = plenty(), drafts = plenty();
    device.elsewhere = true;
    locked.locked = true;
    drafts.drafts = true;
    assert_false(park_allows(&device));
    assert_false(park_allows(&locked));
    assert_false(park_allows(&drafts));
}

/* Three workers: "a" since 10, "b" since 5, "a" since 20. */
static void fill(struct parked_facts places[PARKED_MAX]) {
    for (int i = 0; i < PARKED_MAX; i++) places[i] = (struct parked_facts){ 0 };
    places[1] = (struct parked_facts){
        .taken = true, .model_key = "a", .key = { 1, 2 }, .bytes = GB, .since = 10
    };
    places[2] = (struct parked_facts){
        .taken = true, .model_key = "b", .key = { 1, 2 }, .bytes = GB, .since = 5
    };
    places[4] = (struct parked_facts){
        .taken = true, .model_key = "a", .key = { 1, 2 }, .bytes = GB, .since = 20
    };
}

static void test_only_equal_loads_are_taken_up_by_the_one_used_last(void **state) {
    (void)state;
    struct parked_facts places[PARKED_MAX];
    fill(places);
    assert_int_equal(park_find(places, "a", &(struct park_key){ 1, 2 }), 4);
    assert_int_equal(park_find(places, "b", &(struct park_key){ 1, 2 }), 2);
    assert_int_equal(park_find(places, "c", &(struct park_key){ 1, 2 }), -1);
    assert_int_equal(park_find(places, "a", &(struct park_key){ 3, 2 }), -1);
    assert_int_equal(park_find(places, "a", &(struct park_key){ 1, 3 }), -1);
    places[4].leaves = true;
    assert_int_equal(park_find(places, "a", &(struct park_key){ 1, 2 }), 1);
}

static void test_one_whose_files_have_changed_is_stale(void **state) {
    (void)state;
    struct parked_facts places[PARKED_MAX];
    fill(places);
    assert_int_equal(park_find_stale(places, "a", 2), -1);
    assert_int_equal(park_find_stale(places, "a", 3), 1);
    assert_int_equal(park_find_stale(places, "c", 3), -1);
    places[1].leaves = true;
    assert_int_equal(park_find_stale(places, "a", 3), 4);
}

static void test_the_one_parked_longest_leaves_first(void **state) {
    (void)state;
    struct parked_facts places[PARKED_MAX];
    fill(places);
    assert_int_equal(park_first_to_leave(places), 2);
    places[2].leaves = true;
    assert_int_equal(park_first_to_leave(places), 1);
    places[1].taken = places[4].taken = false;
    assert_int_equal(park_first_to_leave(places), -1);
}

static void test_a_place_is_free_once_its_worker_is_gone(void **state) {
    (void)state;
    struct parked_facts places[PARKED_MAX];
    fill(places);
    assert_int_equal(park_free_place(places), 0);
    for (int i = 0; i < PARKED_MAX; i++) places[i].taken = true;
    places[3].leaves = true;
    assert_int_equal(park_free_place(places), -1);
    places[3].taken = false;
    assert_int_equal(park_free_place(places), 3);
}

static void test_parked_workers_leave_when_all_need_more_than_there_is(void **state) {
    (void)state;
    struct parked_facts places[PARKED_MAX];
    fill(places);
    assert_false(park_exceeds(places, PARKED_STAYING, 2 * GB, 5 * GB));
    assert_true(park_exceeds(places, PARKED_STAYING, 2 * GB + 1, 5 * GB));
    assert_true(park_exceeds(places, PARKED_STAYING, 6 * GB, 5 * GB));
    assert_false(park_exceeds(places, PARKED_STAYING, 6 * GB, UINT64_MAX));
    places[1].leaves = true; /* its memory will be back, and is not yet */
    assert_false(park_exceeds(places, PARKED_STAYING, 3 * GB, 5 * GB));
    assert_true(park_exceeds(places, PARKED_ALL, 3 * GB, 5 * GB));
}

static void test_without_parked_workers_nobody_waits_for_them(void **state) {
    (void)state;
    const struct parked_facts places[PARKED_MAX] = { 0 };
    assert_false(park_exceeds(places, PARKED_ALL, 6 * GB, 5 * GB));
}

static void test_the_deadline_is_that_of_the_one_parked_longest(void **state) {
    (void)state;
    struct parked_facts places[PARKED_MAX];
    fill(places);
    assert_int_equal(park_deadline(places, 100), 105);
    assert_true(park_deadline(places, MSEC_NEVER) == MSEC_NEVER);
    places[2].leaves = true;
    assert_int_equal(park_deadline(places, 100), 110);
    places[1].taken = places[4].taken = false;
    assert_true(park_deadline(places, 100) == MSEC_NEVER);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_instance_that_may_return_leaves_its_worker),
        cmocka_unit_test(test_nothing_is_parked_with_the_setting_off),
        cmocka_unit_test(test_by_default_eight_gigabytes_stay_free),
        cmocka_unit_test(test_switched_on_it_has_to_fit),
        cmocka_unit_test(test_nothing_is_parked_while_programs_stall),
        cmocka_unit_test(test_models_on_devices_or_locked_or_with_a_draft_are_not_parked),
        cmocka_unit_test(test_only_equal_loads_are_taken_up_by_the_one_used_last),
        cmocka_unit_test(test_one_whose_files_have_changed_is_stale),
        cmocka_unit_test(test_the_one_parked_longest_leaves_first),
        cmocka_unit_test(test_a_place_is_free_once_its_worker_is_gone),
        cmocka_unit_test(test_parked_workers_leave_when_all_need_more_than_there_is),
        cmocka_unit_test(test_without_parked_workers_nobody_waits_for_them),
        cmocka_unit_test(test_the_deadline_is_that_of_the_one_parked_longest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
