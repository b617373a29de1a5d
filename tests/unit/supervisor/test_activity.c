/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include "supervisor/activity.h"

static void speak(struct activity *activity, int tokens) {
    for (int i = 0; i < tokens; i++) activity_token(activity);
}

static void test_speed_is_of_the_time_since_work_began(void **state) {
    (void)state;
    struct activity activity = { 0 };
    speak(&activity, 100); /* an earlier answer */
    activity_begin(&activity, 50000);
    assert_true(activity.rate == 0);
    speak(&activity, 10);
    activity_sample(&activity, 50500);
    assert_true(activity.rate == 20);
}

static void test_too_short_a_span_measures_nothing(void **state) {
    (void)state;
    struct activity activity = { 0 };
    activity_begin(&activity, 1000);
    speak(&activity, 5);
    activity_sample(&activity, 1001);
    assert_true(activity.rate == 0);
    activity_sample(&activity, 1500); /* and its tokens are not lost */
    assert_true(activity.rate == 10);
}

static void test_a_change_of_speed_shows_within_a_few_samples(void **state) {
    (void)state;
    struct activity activity = { 0 };
    activity_begin(&activity, 0);
    for (msec now = 500; now <= 1500; now += 500) {
        speak(&activity, 50);
        activity_sample(&activity, now);
    }
    assert_true(activity.rate == 100);
    for (msec now = 2000; now <= 5000; now += 500) activity_sample(&activity, now);
    assert_true(activity.rate < 1);
}

static void test_the_workers_figures_replace_the_count(void **state) {
    (void)state;
    struct activity activity = { 0 };
    activity_begin(&activity, 0);
    speak(&activity, 3);
    activity_done(&activity, 40, 10, 0.5);
    assert_true(activity.rate == 20);
    assert_int_equal(activity.context, 50);
    activity_done(&activity, 7, 0, 0); /* embeddings say nothing of speed */
    assert_true(activity.rate == 20);
    assert_int_equal(activity.context, 7);
    activity_begin(&activity, 9000); /* the speed of work that ended is not shown again */
    assert_true(activity.rate == 0);
}

static void test_a_wait_is_as_long_as_the_last_answers(void **state) {
    (void)state;
    struct activity activity = { 0 };
    assert_true(activity_wait(&activity, 3, 1) == 0); /* nothing is known */
    activity_held(&activity, 4);
    assert_true(activity_wait(&activity, 1, 1) == 4);
    activity_held(&activity, 2);
    assert_true(activity_wait(&activity, 1, 1) == 3);
    assert_true(activity_wait(&activity, 4, 2) == 6);
    assert_true(activity_wait(&activity, 4, 0) == 12);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_speed_is_of_the_time_since_work_began),
        cmocka_unit_test(test_too_short_a_span_measures_nothing),
        cmocka_unit_test(test_a_change_of_speed_shows_within_a_few_samples),
        cmocka_unit_test(test_the_workers_figures_replace_the_count),
        cmocka_unit_test(test_a_wait_is_as_long_as_the_last_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
