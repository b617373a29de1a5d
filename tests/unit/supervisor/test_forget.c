/* SPDX-License-Identifier: MIT */
/* Processed prompts are cleared while workers leave. */
#include "scene.h"

/* It saves before it ends, and may no longer read what it is sent. */
static void test_files_of_a_worker_that_leaves_are_deleted_again(void **state) {
    struct scene *s = *state;
    ask(s, "one", &s->told[0]);
    say(s, 0, MSG_READY, READY);
    answer(s, 0, MSG_DONE, "{\"stop_reason\":\"eosFound\"}");
    supervisor_forget_prompts(s->sup, "one");
    unload(s, "one", &s->told[1]);
    die(s, 0);
    assert_int_equal(s->forgotten, 0); /* it had been told before it was told to go */
    ask(s, "one", &s->told[2]);
    say(s, 1, MSG_READY, READY);
    answer(s, 1, MSG_DONE, "{\"stop_reason\":\"eosFound\"}");
    unload(s, "one", &s->told[3]);
    supervisor_forget_prompts(s->sup, "two");
    supervisor_forget_prompts(s->sup, NULL);
    ask(s, "one", &s->told[4]); /* waits for the next worker of the slot */
    die(s, 1);
    assert_int_equal(s->forgotten, 1);
    say(s, 2, MSG_READY, READY);
    answer(s, 2, MSG_DONE, "{\"stop_reason\":\"eosFound\"}");
    unload(s, "one", &s->told[5]);
    die(s, 2);
    assert_int_equal(s->forgotten, 1); /* its successor's stay */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_files_of_a_worker_that_leaves_are_deleted_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
