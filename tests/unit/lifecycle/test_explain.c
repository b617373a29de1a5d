/* SPDX-License-Identifier: MIT */
#include "world.h"

#include <string.h>

static struct lc_forecast forecast(uint32_t model) {
    static struct lifecycle copy, before;
    static struct lc_actions actions;
    struct lc_forecast f;
    struct lc_event ev = { .kind = LC_EV_REQUEST,
                           .now = lc.now,
                           .request = UINT64_MAX,
                           .model = model,
                           .slot = LC_NO_SLOT,
                           .ttl = LC_TTL_NOT_GIVEN,
                           .plan = plan };

    before = lc;
    lifecycle_explain(&lc, &ev, &copy, &actions, &f);
    assert_memory_equal(&before, &lc, sizeof lc); /* nothing is changed by asking */
    return f;
}

static void test_explain_served_and_queued(void **state) {
    (void)state;
    plan.parallel = 1;
    int a = make_idle(A);

    assert_int_equal(forecast(A).outcome, LC_OUTCOME_SERVED);
    assert_int_equal(forecast(A).slot, a);
    ask(A);
    ask(A);
    assert_int_equal(forecast(A).outcome, LC_OUTCOME_QUEUED);
    assert_int_equal(forecast(A).ahead, 1);
}

static void test_explain_a_load_that_begins_or_is_under_way(void **state) {
    (void)state;
    struct lc_forecast f = forecast(A);

    assert_int_equal(f.outcome, LC_OUTCOME_LOADS);
    assert_int_equal(f.slot, LC_NO_SLOT);
    assert_int_equal(f.load, 1000);
    ask(A);
    pass(400);
    f = forecast(A);
    assert_int_equal(f.outcome, LC_OUTCOME_JOINS);
    assert_int_equal(f.load, 600);
}

static void test_explain_whom_it_would_evict_and_what_it_waits_for(void **state) {
    (void)state;
    int a;
    make_busy(A, &a);
    ask(A);
    struct lc_forecast f = forecast(B);

    assert_int_equal(f.outcome, LC_OUTCOME_WAITS);
    assert_true(f.leaves[a]);
    assert_int_equal(f.ahead, 2);
    assert_int_equal(f.gate, 1000);
    assert_int_equal(f.load, 1000);
    assert_int_equal(state_of(a), LC_BUSY);
}

static void test_explain_an_idle_victim_goes_at_once(void **state) {
    (void)state;
    int a = make_idle(A);
    struct lc_forecast f = forecast(B);

    assert_int_equal(f.outcome, LC_OUTCOME_WAITS);
    assert_true(f.leaves[a]);
    assert_int_equal(f.ahead, 0);
    assert_int_equal(f.gate, 0);
    assert_int_equal(state_of(a), LC_IDLE);
}

static void test_explain_refusals_have_their_figures(void **state) {
    (void)state;
    struct lc_settings settings = lc.settings;
    set_budget(50);
    struct lc_forecast f = forecast(A);

    assert_int_equal(f.outcome, LC_OUTCOME_REFUSED);
    assert_int_equal(f.fail, LC_FAIL_NO_MEMORY);
    assert_int_equal(f.need, 100);
    assert_int_equal(f.free, 50);
    settings.jit = false;
    configure(settings);
    assert_int_equal(forecast(A).fail, LC_FAIL_JIT_OFF);
}

/* Memory, rule 2. */
static void test_explain_an_estimate_is_judged_as_the_load_would_be(void **state) {
    (void)state;
    static struct lifecycle copy, before;
    static struct lc_actions actions;
    struct lc_event load = { .kind = LC_EV_LOAD,
                             .request = UINT64_MAX,
                             .model = B,
                             .slot = LC_NO_SLOT,
                             .ttl = LC_TTL_NOT_GIVEN,
                             .plan = plan };
    set_budget(150);
    int a = make_idle(A);
    load.now = lc.now;
    before = lc;
    assert_false(lifecycle_refuses(&lc, &load, &copy, &actions)); /* an idle one would go */
    assert_memory_equal(&before, &lc, sizeof lc);
    update(a, LC_ORIGIN_EXPLICIT, MSEC_NEVER);
    assert_true(lifecycle_refuses(&lc, &load, &copy, &actions));
    load.plan.need = 50;
    assert_false(lifecycle_refuses(&lc, &load, &copy, &actions));
}

/* ---- Order, rule 4: place in line ---- */

static struct lc_wait wait_of(uint64_t request) {
    struct lc_wait w;
    assert_true(lifecycle_wait(&lc, request, &w));
    return w;
}

static void test_order_4_place_in_line_of_a_loaded_model(void **state) {
    (void)state;
    struct lc_wait w;
    int a;
    plan.parallel = 1;
    uint64_t runs = make_busy(A, &a), second = ask_client(A, 7), third = ask_client(A, 7);
    uint64_t other = ask_client(A, 8); /* its turn is before the third's */

    assert_false(lifecycle_wait(&lc, runs, &w));
    assert_false(lifecycle_wait(&lc, UINT64_MAX, &w));
    assert_int_equal(wait_of(second).outcome, LC_OUTCOME_QUEUED);
    assert_int_equal(wait_of(second).place, 1);
    assert_int_equal(wait_of(other).place, 2);
    assert_int_equal(wait_of(third).place, 3);
    assert_true(wait_of(third).runs[a]);
    assert_int_equal(wait_of(third).slot, a);
    done(runs);
    assert_false(lifecycle_wait(&lc, second, &w));
    assert_int_equal(wait_of(third).place, 2);
}

static void test_order_4_a_load_under_way_has_its_rest(void **state) {
    (void)state;
    uint64_t first = ask(A), second = ask(A);

    pass(400);
    assert_int_equal(wait_of(first).outcome, LC_OUTCOME_JOINS);
    assert_int_equal(wait_of(second).load, 600);
    pass(5000);
    assert_int_equal(wait_of(second).load, 0);
}

static void test_order_4_place_in_line_among_models(void **state) {
    (void)state;
    int a;
    make_busy(A, &a);
    uint64_t b = ask(B), c = ask(C), again = ask(B);
    struct lc_wait first = wait_of(b), second = wait_of(c);

    assert_int_equal(first.outcome, LC_OUTCOME_WAITS);
    assert_int_equal(first.place, 1);
    assert_int_equal(first.gate, 1000);
    assert_int_equal(first.load, 1000);
    assert_true(first.runs[a]);
    assert_int_equal(second.place, 2);
    assert_int_equal(second.load, 2000); /* B's comes first */
    assert_int_equal(wait_of(again).place, 3);
    assert_int_equal(wait_of(again).load, 1000); /* with B's first */
}

static void test_order_4_a_load_behind_one_under_way(void **state) {
    (void)state;
    uint64_t a = ask(A), b = ask(B);

    pass(400);
    assert_int_equal(wait_of(a).outcome, LC_OUTCOME_JOINS);
    assert_int_equal(wait_of(b).outcome, LC_OUTCOME_WAITS);
    assert_int_equal(wait_of(b).place, 2);
    assert_int_equal(wait_of(b).load, 1600);
}

/* What explain says and what the request is told then are one figure. */
static void test_order_4_explain_says_what_who_waits_is_told(void **state) {
    (void)state;
    int a;
    make_busy(A, &a);
    ask(B);
    struct lc_forecast f = forecast(C);
    struct lc_wait w = wait_of(ask(C));

    assert_int_equal(f.outcome, LC_OUTCOME_WAITS);
    assert_int_equal(f.load, 1000);
    assert_int_equal(w.load, 2000); /* B's comes first */
    assert_int_equal(f.wait.load, w.load);
    assert_int_equal(f.wait.place, w.place);
    assert_int_equal(f.wait.gate, w.gate);
    assert_true(f.wait.runs[a]);
}

int explain_tests(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_explain_served_and_queued, world_reset),
        cmocka_unit_test_setup(test_explain_a_load_that_begins_or_is_under_way, world_reset),
        cmocka_unit_test_setup(test_explain_whom_it_would_evict_and_what_it_waits_for,
                               world_reset),
        cmocka_unit_test_setup(test_explain_an_idle_victim_goes_at_once, world_reset),
        cmocka_unit_test_setup(test_explain_refusals_have_their_figures, world_reset),
        cmocka_unit_test_setup(test_explain_an_estimate_is_judged_as_the_load_would_be,
                               world_reset),
        cmocka_unit_test_setup(test_order_4_place_in_line_of_a_loaded_model, world_reset),
        cmocka_unit_test_setup(test_order_4_a_load_under_way_has_its_rest, world_reset),
        cmocka_unit_test_setup(test_order_4_place_in_line_among_models, world_reset),
        cmocka_unit_test_setup(test_order_4_a_load_behind_one_under_way, world_reset),
        cmocka_unit_test_setup(test_order_4_explain_says_what_who_waits_is_told, world_reset),
    };
    return cmocka_run_group_tests_name("explain", tests, NULL, NULL);
}
