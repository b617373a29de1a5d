/* SPDX-License-Identifier: MIT */
/* Requests that wait: what of them is kept, and counted. */
#include "scene.h"

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

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_a_request_that_grows_too_large_is_refused),
        TEST(test_a_request_is_counted_until_a_worker_has_it),
        TEST(test_what_waits_leaves_no_room_for_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
