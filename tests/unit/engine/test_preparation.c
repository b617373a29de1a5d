/* SPDX-License-Identifier: MIT */
/* Which of the slow requests is given up when others wait. */
#include "cmocka_prelude.h"
#include "engine/preparation.h"

struct scene {
    struct preparer_shared shared[PREPARING_MAX];
    struct preparer preparers[PREPARING_MAX];
    struct preparation preparation;
};

/* What each has computed, in ticks; its place if it is the one. */
static long given_up(struct scene *s, const int ticks[PREPARING_MAX]) {
    for (int i = 0; i < PREPARING_MAX; i++) {
        atomic_store(&s->shared[i].ticks, ticks[i]);
        s->preparers[i].shared = &s->shared[i];
        s->preparation.now[i].preparer = &s->preparers[i];
    }
    return preparation_greediest(&s->preparation) - s->preparation.now;
}

static void test_who_has_computed_most_is_given_up_first(void **state) {
    (void)state;
    struct scene s = { 0 };
    assert_int_equal(given_up(&s, (const int[]){ 3, 9, 5, 8 }), 1);
    assert_int_equal(given_up(&s, (const int[]){ 3, 9, 5, 10 }), 3);
    assert_int_equal(given_up(&s, (const int[]){ 12, 9, 5, 10 }), 0);
    assert_int_equal(given_up(&s, (const int[]){ 4, 7, 7, 1 }), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_has_computed_most_is_given_up_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
