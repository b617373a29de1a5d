/* SPDX-License-Identifier: MIT */
/* Requests that wait: what of them is kept, and counted, and what they are told. */
#include "scene.h"

#include "base/clock.h"

/* Its numbers become four times as long. */
static void test_a_request_that_grows_too_large_is_refused(void **state) {
    enum { NUMBERS = 4200000 };
    struct scene *s = *state;
    struct buf body = BUF_INIT(32 << 20);
    ask(s, "one", &s->told[0]);
    say(s, 0, MSG_READY, READY);
    answer(s, 0, MSG_DONE, "{\"stop_reason\":\"eosFound\"}");
    assert_true(buf_add_str(&body, "{\"pad\":[1"));
    for (int i = 0; i < NUMBERS; i++) assert_true(buf_add(&body, ",1e17", 5));
    assert_true(buf_add_str(&body, "]}"));
    (void)generate_with(s, OP_CHAT, "one", body.data, &s->told[1]);
    buf_clear(&body);
    turn(s);
    assert_int_equal(s->told[1].errors, 1);
    assert_int_equal(s->told[1].error.code, ERR_TOO_LARGE);
    assert_int_equal(instance(s)->state, INSTANCE_IDLE);
    ask(s, "one", &s->told[2]); /* and others are served */
    answer(s, 0, MSG_DONE, "{\"stop_reason\":\"eosFound\"}");
    assert_int_equal(s->told[2].results, 1);
}

/* Whether it waits for a load, for its turn or for nothing any longer. */
static void test_a_request_is_counted_until_a_worker_has_it(void **state) {
    struct scene *s = *state;
    call_id waits = generate(s, OP_CHAT, "one", &s->told[0]);
    size_t one = s->budget.held;
    assert_true(one > 0);
    (void)generate(s, OP_CHAT, "one", &s->told[1]);
    assert_int_equal(s->budget.held, 2 * one);
    turn(s); /* the model loads */
    supervisor_cancel(s->sup, waits);
    assert_int_equal(s->budget.held, one);
    turn(s);
    say(s, 0, MSG_READY, READY);
    assert_string_not_equal(puppet_heard(puppet(0), MSG_REQUEST), "");
    assert_int_equal(s->budget.held, 0);
}

static void test_what_waits_leaves_no_room_for_more(void **state) {
    struct scene *s = *state;
    s->budget.total = 100;
    (void)generate(s, OP_CHAT, "one", &s->told[0]);
    (void)generate(s, OP_CHAT, "one", &s->told[1]);
    turn(s);
    assert_int_equal(s->told[0].errors, 0);
    assert_int_equal(s->told[1].errors, 1);
    assert_int_equal(s->told[1].error.code, ERR_QUEUE_FULL);
    assert_int_equal(s->told[1].error.retry_after, 1);
    s->budget.total = 1000;
}

static void test_who_waits_for_a_load_hears_of_it(void **state) {
    struct scene *s = *state;
    ask(s, "one", &s->told[0]);
    assert_int_equal(s->told[0].progress, 1);
    (void)load(s, request_for("one"), &s->told[1]);
    say(s, 0, MSG_PROGRESS, "{\"permille\":500}");
    assert_int_equal(s->told[0].progress, 2);
    assert_int_equal(s->told[1].progress, 1);
}

/* What follows is later, if only by a microsecond. */
static void clock_moves(void) {
    int64_t now = clock_boottime_usec();
    while (clock_boottime_usec() <= now) continue;
}

static struct service_wait wait_of(struct scene *s, call_id call) {
    struct service_wait wait;
    clock_moves();
    supervisor_wait(s->sup, call, &wait);
    return wait;
}

static void test_order_4_who_waits_knows_its_place(void **state) {
    struct scene *s = *state;
    ask(s, "one", &s->told[0]);
    call_id call = generate(s, OP_CHAT, "one", &s->told[1]);
    assert_int_equal(wait_of(s, call).kind, WAIT_UNKNOWN); /* its turn has not come */
    turn(s);
    say(s, 0, MSG_PROGRESS, "{\"permille\":420}");
    assert_int_equal(wait_of(s, call).kind, WAIT_LOAD);
    assert_int_equal(wait_of(s, call).done * 100 / wait_of(s, call).total, 42);
    say(s, 0, MSG_READY, "{\"context_length\":512,\"parallel\":1,\"memory_bytes\":1000}");
    assert_int_equal(wait_of(s, call).kind, WAIT_IN_LINE);
    assert_int_equal(wait_of(s, call).place, 1);
    assert_true(wait_of(s, call).seconds == 0); /* no answer has ended yet */
    answer(s, 0, MSG_DONE, "{}");
    call_id next = generate(s, OP_CHAT, "one", &s->told[2]);
    turn(s);
    assert_int_equal(wait_of(s, call).kind, WAIT_UNKNOWN); /* the worker prepares it */
    assert_int_equal(wait_of(s, next).place, 1);
    assert_true(wait_of(s, next).seconds > 0);
    assert_int_equal(wait_of(s, 999).kind, WAIT_UNKNOWN);
}

static void test_order_4_a_prompt_is_a_wait_too(void **state) {
    struct scene *s = *state;
    ask(s, "one", &s->told[0]);
    say(s, 0, MSG_READY, READY);
    call_id call = puppet_heard_request(puppet(0), MSG_REQUEST);
    answer(s, 0, MSG_STARTED, "{\"prompt_tokens\":8000,\"cached_tokens\":100}");
    assert_int_equal(wait_of(s, call).kind, WAIT_PROMPT);
    assert_int_equal(wait_of(s, call).done, 100);
    assert_true(wait_of(s, call).seconds == 0);
    answer(s, 0, MSG_PROMPT, "{\"processed\":3100,\"total\":8000,\"cached\":100}");
    assert_int_equal(wait_of(s, call).done, 3100);
    assert_int_equal(wait_of(s, call).total, 8000);
    assert_true(wait_of(s, call).seconds > 0);
    answer(s, 0, MSG_DELTA, "{\"content\":\"Hi\"}");
    assert_int_equal(wait_of(s, call).kind, WAIT_UNKNOWN);
}

static void test_order_4_another_models_answers_count(void **state) {
    struct scene *s = *state;
    ask(s, "one", &s->told[0]);
    say(s, 0, MSG_READY, READY);
    clock_moves();
    answer(s, 0, MSG_DONE, "{}");
    ask(s, "one", &s->told[1]);
    call_id call = generate(s, OP_CHAT, "two", &s->told[2]);
    turn(s);
    assert_int_equal(wait_of(s, call).kind, WAIT_IN_LINE);
    assert_int_equal(wait_of(s, call).place, 1);
    assert_true(wait_of(s, call).seconds > 0);
}

static void test_order_4_explain_says_what_who_waits_is_told(void **state) {
    struct scene *s = *state;
    struct forecast forecast;
    struct error err;
    ask(s, "one", &s->told[0]);
    say(s, 0, MSG_READY, READY);
    clock_moves();
    answer(s, 0, MSG_DONE, "{}");
    ask(s, "one", &s->told[1]);
    assert_true(supervisor_forecast(s->sup, "two", 0, &forecast, &err));
    call_id call = generate(s, OP_CHAT, "two", &s->told[2]);
    turn(s);
    struct service_wait told = wait_of(s, call);
    assert_int_equal(forecast.wait.kind, told.kind);
    assert_int_equal(forecast.wait.place, told.place);
    assert_true(told.seconds > 0);
    assert_true(forecast.wait.seconds >= told.seconds); /* a moment has passed */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_a_request_that_grows_too_large_is_refused),
        TEST(test_a_request_is_counted_until_a_worker_has_it),
        TEST(test_what_waits_leaves_no_room_for_more),
        TEST(test_who_waits_for_a_load_hears_of_it),
        TEST(test_order_4_who_waits_knows_its_place),
        TEST(test_order_4_a_prompt_is_a_wait_too),
        TEST(test_order_4_another_models_answers_count),
        TEST(test_order_4_explain_says_what_who_waits_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
