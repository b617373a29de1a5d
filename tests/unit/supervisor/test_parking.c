/* SPDX-License-Identifier: MIT */
/* Parked workers and the supervisor: who is told to park, who takes up which load, what waits
 * until their memory is back. */
#include "scene.h"

#include <string.h>

#include "base/clock.h"

#define DONE "{\"stop_reason\":\"eosFound\"}"
#define PARKED "{\"memory_bytes\":400}"

/* The machine has plenty, whatever it is. */
static nbytes available = (nbytes)64 << 30;
nbytes __wrap_memory_available(void);
nbytes __wrap_memory_available(void) {
    return available;
}

static int parking_open(void **state) {
    available = (nbytes)64 << 30;
    if (scene_open(state) != 0) return -1;
    struct scene *s = *state;
    s->settings.parked_workers = PARK_ON;
    s->settings.rules.default_ttl = 0;
    supervisor_settings_changed(s->sup);
    turn(s);
    return 0;
}

#define PARKING_TEST(name) cmocka_unit_test_setup_teardown(name, parking_open, scene_close)

static void heard_nothing(struct scene *s) {
    buf_clear(&s->parked);
    buf_init(&s->parked, 1 << 16);
}

/* The nth worker loads the model, answers once, and its ttl is over. */
static void serve_once(struct scene *s, int n, const char *model, struct told *told) {
    ask(s, model, told);
    say(s, n, MSG_READY, READY);
    answer(s, n, MSG_DONE, DONE);
    assert_int_equal(told->results, 1);
}

static void park_one(struct scene *s, int n, const char *model) {
    struct told *told = &s->told[10 + n];
    serve_once(s, n, model, told);
    assert_non_null(puppet_heard(puppet(n), MSG_PARK));
    say(s, n, MSG_PARKED, PARKED);
}

static const struct model_view *model_view(struct scene *s, const char *key) {
    struct service_models models = supervisor_models(s->sup);
    const struct model_view *view = models.models;
    for (size_t i = 0; i < models.count; i++, view++) {
        if (strcmp(view->key, key) == 0) return view;
    }
    return NULL;
}

static void test_at_its_ttl_a_worker_parks_and_the_instance_is_gone(void **state) {
    struct scene *s = *state;
    park_one(s, 0, "one");
    assert_null(instance(s));
    assert_string_equal(buf_str(&s->parked), "one parked\n");
    const struct model_view *view = model_view(s, "one");
    assert_int_equal(view->instance_count, 0);
    assert_int_equal(view->parked_count, 1);
    assert_int_equal(view->parked[0].memory_bytes, 400);
    assert_int_equal(view->parked[0].pid, 1000);
    assert_true(view->parked[0].expires_at - view->parked[0].parked_at == 3600000);
    assert_false(puppet_was_killed(puppet(0)));
}

static void test_the_next_load_wakes_it(void **state) {
    struct scene *s = *state;
    park_one(s, 0, "one");
    serve_once(s, 0, "one", &s->told[0]);
    assert_int_equal(puppet_count(), 1);
    assert_string_equal(buf_str(&s->parked), "one parked\none woken\n");
    say(s, 0, MSG_PARKED, PARKED);
    assert_int_equal(model_view(s, "one")->parked_count, 1);
}

static void test_a_load_with_other_settings_does_not(void **state) {
    struct scene *s = *state;
    struct load_request request = request_for("one");
    park_one(s, 0, "one");
    request.settings.parallel = 2;
    (void)load(s, request, &s->told[0]);
    assert_int_equal(puppet_count(), 2);
    assert_int_equal(model_view(s, "one")->parked_count, 1);
}

static void test_a_load_with_a_context_of_another_length_does(void **state) {
    struct scene *s = *state;
    struct load_request request = request_for("one");
    park_one(s, 0, "one");
    request.settings.context_length = 2048;
    (void)load(s, request, &s->told[0]);
    say(s, 0, MSG_READY, READY);
    assert_int_equal(puppet_count(), 1);
    assert_int_equal(s->told[0].results, 1);
}

/* The instance is a request's; a client then loads it with another context. */
static void test_evict_7_another_context_is_the_same_workers(void **state) {
    struct scene *s = *state;
    struct load_request request = request_for("one");
    s->settings.rules.default_ttl = MSEC_NEVER;
    supervisor_settings_changed(s->sup);
    serve_once(s, 0, "one", &s->told[0]);
    request.settings.context_length = 2048;
    (void)load(s, request, &s->told[1]);
    assert_non_null(puppet_heard(puppet(0), MSG_PARK));
    say(s, 0, MSG_PARKED, PARKED);
    say(s, 0, MSG_READY, READY);
    assert_int_equal(puppet_count(), 1);
    assert_int_equal(s->told[1].results, 1);
    assert_int_equal(instance(s)->origin, ORIGIN_EXPLICIT);
}

/* The worker that would be parked stays: it is told nothing. */
static void test_evict_7_fewer_at_a_time_is_the_same_instance(void **state) {
    struct scene *s = *state;
    struct load_request request = request_for("one");
    s->settings.rules.default_ttl = MSEC_NEVER;
    supervisor_settings_changed(s->sup);
    serve_once(s, 0, "one", &s->told[0]);
    request.settings.parallel = 1;
    (void)load(s, request, &s->told[1]);
    assert_int_equal(s->told[1].results, 1);
    assert_null(puppet_heard(puppet(0), MSG_PARK));
    assert_null(puppet_heard(puppet(0), MSG_STOP));
    assert_int_equal(instance(s)->origin, ORIGIN_EXPLICIT);
    assert_int_equal(instance(s)->settings->parallel, 1);
    die(s, 0);
    ask(s, "one", &s->told[2]);
    assert_int_equal(puppet_count(), 2);
    const char *order = puppet_heard(puppet(1), MSG_LOAD);
    assert_non_null(order);
    assert_non_null(strstr(order, "\"parallel\":1"));
}

static void test_evict_7_fewer_at_a_time_while_it_loads(void **state) {
    struct scene *s = *state;
    struct load_request request = request_for("one");
    ask(s, "one", &s->told[0]);
    request.settings.parallel = 2;
    (void)load(s, request, &s->told[1]);
    say(s, 0, MSG_READY, READY);
    assert_int_equal(s->told[1].results, 1);
    assert_int_equal(puppet_count(), 1);
    assert_int_equal(instance(s)->settings->parallel, 2);
}

static void test_another_prompt_store_is_another_setting(void **state) {
    struct scene *s = *state;
    park_one(s, 0, "one");
    s->settings.prompt_store = PROMPT_STORE_OFF;
    ask(s, "one", &s->told[0]);
    assert_int_equal(puppet_count(), 2);
}

static void test_what_is_forgotten_meanwhile_stays_forgotten(void **state) {
    struct scene *s = *state;
    serve_once(s, 0, "one", &s->told[0]);
    supervisor_forget_prompts(s->sup, "one");
    say(s, 0, MSG_PARKED, PARKED);
    assert_int_equal(s->forgotten, 1);
}

static void test_an_unload_by_hand_parks_nothing(void **state) {
    struct scene *s = *state;
    (void)load(s, request_for("one"), &s->told[0]);
    say(s, 0, MSG_READY, READY);
    unload(s, "one", &s->told[1]);
    assert_null(puppet_heard(puppet(0), MSG_PARK));
    assert_non_null(puppet_heard(puppet(0), MSG_STOP));
}

static void evict_one(struct scene *s) {
    s->settings.rules.default_ttl = MSEC_NEVER;
    s->settings.rules.switch_window = 0;
    supervisor_settings_changed(s->sup);
    serve_once(s, 0, "one", &s->told[0]);
    ask(s, "two", &s->told[1]);
}

static void test_one_that_is_evicted_parks_where_there_is_room_for_both(void **state) {
    struct scene *s = *state;
    evict_one(s);
    assert_non_null(puppet_heard(puppet(0), MSG_PARK));
    assert_int_equal(puppet_count(), 2); /* the other's worker is ready to load */
    assert_null(puppet_heard(puppet(1), MSG_LOAD));
    say(s, 0, MSG_PARKED, PARKED);
    assert_non_null(puppet_heard(puppet(1), MSG_LOAD));
}

/* No worker is started for a load that a parked one takes up. */
static void test_back_and_forth_needs_two_workers(void **state) {
    struct scene *s = *state;
    evict_one(s);
    say(s, 0, MSG_PARKED, PARKED);
    say(s, 1, MSG_READY, READY);
    answer(s, 1, MSG_DONE, DONE);
    ask(s, "one", &s->told[2]);
    assert_non_null(puppet_heard(puppet(1), MSG_PARK));
    say(s, 1, MSG_PARKED, PARKED);
    say(s, 0, MSG_READY, READY);
    answer(s, 0, MSG_DONE, DONE);
    assert_int_equal(s->told[2].results, 1);
    assert_int_equal(puppet_count(), 2);
}

static bool would_load(struct scene *s, const char *model) {
    struct forecast forecast;
    struct error err;
    return supervisor_forecast(s->sup, model, 0, &forecast, &err);
}

/* Bytes of memory with which the model can be loaded if all others leave. */
static nbytes least_for(struct scene *s, const char *model) {
    nbytes below = 0, enough = available;
    while (enough - below > 1) {
        available = below + (enough - below) / 2;
        if (would_load(s, model))
            enough = available;
        else
            below = available;
    }
    return enough;
}

static void test_one_that_is_evicted_for_its_memory_ends(void **state) {
    struct scene *s = *state;
    s->settings.rules.default_ttl = MSEC_NEVER;
    s->settings.rules.switch_window = 0;
    s->settings.rules.auto_evict = LC_EVICT_FIT;
    supervisor_settings_changed(s->sup);
    serve_once(s, 0, "one", &s->told[0]);
    available = least_for(s, "two") + 999; /* beside 1000 bytes of the other */
    ask(s, "two", &s->told[1]);
    assert_non_null(puppet_heard(puppet(0), MSG_STOP));
    assert_null(puppet_heard(puppet(0), MSG_PARK));
}

static void test_a_load_waits_until_the_memory_is_back(void **state) {
    struct scene *s = *state;
    park_one(s, 0, "one");
    supervisor_settings_changed(s->sup);
    struct load_request request = request_for("two");
    request.force = true; /* as estimates are larger than these models */
    available = 100;      /* not enough for both */
    (void)load(s, request, &s->told[0]);
    assert_true(puppet_was_killed(puppet(0)));
    assert_string_equal(buf_str(&s->parked), "one parked\none given_up memory\n");
    assert_null(puppet_heard(puppet(1), MSG_LOAD));
    die(s, 0);
    assert_non_null(puppet_heard(puppet(1), MSG_LOAD));
    say(s, 1, MSG_READY, READY);
    assert_int_equal(s->told[0].results, 1);
}

static void test_a_growth_waits_until_the_memory_is_back(void **state) {
    struct scene *s = *state;
    park_one(s, 0, "one");
    s->settings.rules.default_ttl = MSEC_NEVER;
    supervisor_settings_changed(s->sup);
    serve_once(s, 1, "two", &s->told[0]);
    available = 5000;
    say(s, 1, MSG_GROW, "{\"ask\":1,\"bytes\":4800,\"least_bytes\":4800}");
    assert_true(puppet_was_killed(puppet(0)));
    assert_null(puppet_heard(puppet(1), MSG_GRANT));
    die(s, 0);
    assert_non_null(strstr(puppet_heard(puppet(1), MSG_GRANT), "\"bytes\":4800"));
}

static void test_a_lower_limit_of_memory_ends_it(void **state) {
    struct scene *s = *state;
    park_one(s, 0, "one");
    s->settings.memory_limit = 399;
    supervisor_settings_changed(s->sup);
    turn(s);
    assert_string_equal(buf_str(&s->parked), "one parked\none given_up memory\n");
}

static void test_it_leaves_before_instances_when_programs_stall(void **state) {
    struct scene *s = *state;
    park_one(s, 0, "one");
    s->settings.rules.default_ttl = MSEC_NEVER;
    supervisor_settings_changed(s->sup);
    serve_once(s, 1, "two", &s->told[0]);
    supervisor_pressure(s->sup);
    turn(s);
    assert_string_equal(buf_str(&s->parked), "one parked\none given_up memory_pressure\n");
    die(s, 0);
    assert_int_equal(instance(s)->state, INSTANCE_IDLE);
    heard_nothing(s);
    unload(s, "two", &s->told[1]);
    assert_string_equal(buf_str(&s->parked), ""); /* nor is one parked meanwhile */
}

static void test_nothing_is_parked_while_stalls_last(void **state) {
    struct scene *s = *state;
    supervisor_pressure(s->sup);
    serve_once(s, 0, "one", &s->told[0]);
    assert_null(puppet_heard(puppet(0), MSG_PARK));
}

static void test_with_the_setting_off_those_that_are_parked_end(void **state) {
    struct scene *s = *state;
    park_one(s, 0, "one");
    s->settings.parked_workers = PARK_OFF;
    supervisor_settings_changed(s->sup);
    turn(s);
    assert_string_equal(buf_str(&s->parked), "one parked\none given_up switched_off\n");
    die(s, 0);
    serve_once(s, 1, "one", &s->told[0]);
    assert_null(puppet_heard(puppet(1), MSG_PARK));
}

static void test_another_worker_program_ends_it(void **state) {
    struct scene *s = *state;
    park_one(s, 0, "one");
    supervisor_program_changed(s->sup);
    assert_string_equal(buf_str(&s->parked), "one parked\none given_up engine_changed\n");
}

static void test_a_model_that_is_gone_ends_it(void **state) {
    struct scene *s = *state;
    park_one(s, 0, "one");
    supervisor_catalog_changed(s->sup);
    assert_string_equal(buf_str(&s->parked), "one parked\n");
    s->models[0].key = "other";
    supervisor_catalog_changed(s->sup);
    assert_string_equal(buf_str(&s->parked), "one parked\none given_up file_changed\n");
    s->models[0].key = "one";
}

static void test_one_that_dies_is_told_of_and_replaced(void **state) {
    struct scene *s = *state;
    park_one(s, 0, "one");
    die(s, 0);
    assert_string_equal(buf_str(&s->parked), "one parked\none given_up worker_died\n");
    assert_int_equal(model_view(s, "one")->parked_count, 0);
    serve_once(s, 1, "one", &s->told[0]);
}

static void test_one_that_dies_when_it_is_woken_costs_no_request(void **state) {
    struct scene *s = *state;
    park_one(s, 0, "one");
    ask(s, "one", &s->told[0]);
    die(s, 0);
    assert_int_equal(puppet_count(), 2);
    say(s, 1, MSG_READY, READY);
    answer(s, 1, MSG_DONE, DONE);
    assert_int_equal(s->told[0].results, 1);
}

static void test_one_that_cannot_be_woken_costs_no_request(void **state) {
    struct scene *s = *state;
    park_one(s, 0, "one");
    ask(s, "one", &s->told[0]);
    say(s, 0, MSG_FAILED, "{\"code\":\"insufficient_memory\",\"text\":\"No.\"}");
    assert_true(puppet_was_killed(puppet(0)));
    die(s, 0);
    say(s, 1, MSG_READY, READY);
    answer(s, 1, MSG_DONE, DONE);
    assert_int_equal(s->told[0].results, 1);
}

/* But the second failure is the model's. */
static void test_a_replacement_that_fails_is_a_failed_load(void **state) {
    struct scene *s = *state;
    park_one(s, 0, "one");
    ask(s, "one", &s->told[0]);
    die(s, 0);
    say(s, 1, MSG_FAILED, "{\"code\":\"model_load_failed\",\"text\":\"It is broken.\"}");
    assert_int_equal(s->told[0].errors, 1);
    assert_string_equal(s->told[0].error.text, "It is broken.");
    die(s, 1);
}

static void test_a_worker_that_says_parked_unasked_is_killed(void **state) {
    struct scene *s = *state;
    s->settings.rules.default_ttl = MSEC_NEVER;
    supervisor_settings_changed(s->sup);
    serve_once(s, 0, "one", &s->told[0]);
    say(s, 0, MSG_PARKED, PARKED);
    assert_true(puppet_was_killed(puppet(0)));
    assert_string_equal(buf_str(&s->parked), "");
}

static void test_a_worker_that_was_to_end_does_not_park(void **state) {
    struct scene *s = *state;
    s->settings.parked_workers = PARK_OFF;
    serve_once(s, 0, "one", &s->told[0]);
    assert_non_null(puppet_heard(puppet(0), MSG_STOP));
    say(s, 0, MSG_PARKED, PARKED);
    assert_true(puppet_was_killed(puppet(0)));
    assert_string_equal(buf_str(&s->parked), "");
}

static void test_a_parked_worker_that_speaks_is_killed(void **state) {
    struct scene *s = *state;
    park_one(s, 0, "one");
    say(s, 0, MSG_READY, READY);
    assert_true(puppet_was_killed(puppet(0)));
}

/* It may do as for STOP. */
static void test_one_that_ends_instead_of_parking_is_unloaded(void **state) {
    struct scene *s = *state;
    serve_once(s, 0, "one", &s->told[0]);
    puppet_die_of(puppet(0), "exited with status 0");
    turn(s);
    assert_null(instance(s));
    assert_string_equal(buf_str(&s->parked), "");
}

static void test_an_unload_of_what_is_parked_waits_for_its_end(void **state) {
    struct scene *s = *state;
    park_one(s, 0, "one");
    unload(s, "one", &s->told[0]);
    assert_true(puppet_was_killed(puppet(0)));
    assert_int_equal(told_of(&s->told[0]), 0);
    die(s, 0);
    assert_int_equal(s->told[0].results, 1);
    assert_string_equal(buf_str(&s->parked), "one parked\none given_up user\n");
    unload(s, "one", &s->told[1]);
    assert_int_equal(s->told[1].error.code, ERR_MODEL_NOT_FOUND);
}

/* Until it is gone; nobody shows it meanwhile. */
static void test_what_one_holds_counts_until_it_is_back(void **state) {
    struct scene *s = *state;
    struct parked_status shown[PARKED_MAX];
    assert_int_equal(supervisor_parked_bytes(s->sup), 0);
    park_one(s, 0, "one");
    assert_int_equal(supervisor_parked_bytes(s->sup), 400);
    assert_int_equal(supervisor_parked(s->sup, shown), 1);
    unload(s, "one", &s->told[0]);
    assert_int_equal(supervisor_parked_bytes(s->sup), 400);
    assert_int_equal(supervisor_parked(s->sup, shown), 0);
    die(s, 0);
    assert_int_equal(supervisor_parked_bytes(s->sup), 0);
}

/* As admission counts (rule 4), beside other programs with 20, instances with 30. */
static void test_what_parked_workers_have_is_free_memory(void **state) {
    (void)state;
    struct memory_status status = { .total = 100, .other = 20, .available = 40, .parked = 10 };
    assert_int_equal(memory_status_free(&status), 50);
    status.limit = 45;
    assert_int_equal(memory_status_free(&status), 15);
    status.lent = 5;
    assert_int_equal(memory_status_free(&status), 10);
    status.limit = 0;
    status.lent_untaken = 5;
    assert_int_equal(memory_status_free(&status), 45);
}

static void test_an_unload_of_all_waits_for_parked_workers(void **state) {
    struct scene *s = *state;
    park_one(s, 0, "one");
    unload(s, NULL, &s->told[0]);
    assert_int_equal(told_of(&s->told[0]), 0);
    die(s, 0);
    assert_int_equal(s->told[0].results, 1);
}

/* The nth worker loads for this identifier, and leaves at once. */
static void load_and_leave(struct scene *s, int n, const char *identifier, int64_t parallel) {
    struct load_request request = request_for("one");
    request.identifier = identifier;
    request.ttl = (struct ttl){ true, 0 };
    request.settings.parallel = parallel;
    (void)load(s, request, &s->told[n]);
    assert_int_equal(puppet_count(), n + 1);
}

static void test_a_second_worker_of_the_same_kind_is_not_parked(void **state) {
    struct scene *s = *state;
    load_and_leave(s, 0, "a", 1);
    load_and_leave(s, 1, "b", 1);
    load_and_leave(s, 2, "c", 2);
    for (int n = 0; n < 3; n++) {
        say(s, n, MSG_READY, READY);
        if (puppet_heard(puppet(n), MSG_PARK)) say(s, n, MSG_PARKED, PARKED);
    }
    assert_non_null(puppet_heard(puppet(1), MSG_STOP));
    assert_int_equal(model_view(s, "one")->parked_count, 2);
}

static void test_parked_memory_is_not_said_to_have_come_back(void **state) {
    struct scene *s = *state;
    park_one(s, 0, "one");
    assert_int_equal(s->metrics.parked[PARKED_BEGINS], 1);
    serve_once(s, 0, "one", &s->told[0]);
    assert_int_equal(s->metrics.parked[PARKED_WAKES], 1);
    die(s, 0); /* while it parks */
    assert_int_equal(s->metrics.parked[PARKED_ENDS], 0);
}

static void test_at_shutdown_all_end(void **state) {
    struct scene *s = *state;
    park_one(s, 0, "one");
    supervisor_shutdown(s->sup);
    assert_true(puppet_was_killed(puppet(0)));
    assert_string_equal(buf_str(&s->parked), "one parked\none given_up shutdown\n");
    assert_int_equal(s->metrics.parked_ends[PARKED_SHUTDOWN], 1);
}

static void test_what_parks_during_a_shutdown_ends(void **state) {
    struct scene *s = *state;
    serve_once(s, 0, "one", &s->told[0]);
    supervisor_shutdown(s->sup);
    turn(s);
    say(s, 0, MSG_PARKED, PARKED);
    assert_true(puppet_was_killed(puppet(0)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        PARKING_TEST(test_at_its_ttl_a_worker_parks_and_the_instance_is_gone),
        PARKING_TEST(test_the_next_load_wakes_it),
        PARKING_TEST(test_a_load_with_other_settings_does_not),
        PARKING_TEST(test_a_load_with_a_context_of_another_length_does),
        PARKING_TEST(test_evict_7_another_context_is_the_same_workers),
        PARKING_TEST(test_evict_7_fewer_at_a_time_is_the_same_instance),
        PARKING_TEST(test_evict_7_fewer_at_a_time_while_it_loads),
        PARKING_TEST(test_another_prompt_store_is_another_setting),
        PARKING_TEST(test_what_is_forgotten_meanwhile_stays_forgotten),
        PARKING_TEST(test_an_unload_by_hand_parks_nothing),
        PARKING_TEST(test_one_that_is_evicted_parks_where_there_is_room_for_both),
        PARKING_TEST(test_back_and_forth_needs_two_workers),
        PARKING_TEST(test_one_that_is_evicted_for_its_memory_ends),
        PARKING_TEST(test_a_load_waits_until_the_memory_is_back),
        PARKING_TEST(test_a_growth_waits_until_the_memory_is_back),
        PARKING_TEST(test_a_lower_limit_of_memory_ends_it),
        PARKING_TEST(test_it_leaves_before_instances_when_programs_stall),
        PARKING_TEST(test_nothing_is_parked_while_stalls_last),
        PARKING_TEST(test_with_the_setting_off_those_that_are_parked_end),
        PARKING_TEST(test_another_worker_program_ends_it),
        PARKING_TEST(test_a_model_that_is_gone_ends_it),
        PARKING_TEST(test_one_that_dies_is_told_of_and_replaced),
        PARKING_TEST(test_one_that_dies_when_it_is_woken_costs_no_request),
        PARKING_TEST(test_one_that_cannot_be_woken_costs_no_request),
        PARKING_TEST(test_a_replacement_that_fails_is_a_failed_load),
        PARKING_TEST(test_a_worker_that_says_parked_unasked_is_killed),
        PARKING_TEST(test_a_worker_that_was_to_end_does_not_park),
        PARKING_TEST(test_a_parked_worker_that_speaks_is_killed),
        PARKING_TEST(test_one_that_ends_instead_of_parking_is_unloaded),
        PARKING_TEST(test_an_unload_of_what_is_parked_waits_for_its_end),
        PARKING_TEST(test_what_one_holds_counts_until_it_is_back),
        PARKING_TEST(test_what_parked_workers_have_is_free_memory),
        PARKING_TEST(test_an_unload_of_all_waits_for_parked_workers),
        PARKING_TEST(test_a_second_worker_of_the_same_kind_is_not_parked),
        PARKING_TEST(test_parked_memory_is_not_said_to_have_come_back),
        PARKING_TEST(test_at_shutdown_all_end),
        PARKING_TEST(test_what_parks_during_a_shutdown_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
