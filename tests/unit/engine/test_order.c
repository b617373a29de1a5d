/* SPDX-License-Identifier: MIT */
/* Order among the requests of one model, rule 2: whose prompt is next, and how much of it. */
#include "cmocka_prelude.h"

#include "engine/order.h"
#include "engine/prompt_room.h"

static const double speed = 100; /* tokens per second */
enum { SECOND = 1000000 };

static void test_nobody_wants_anything(void **state) {
    (void)state;
    const struct order_prompt none[2] = { { .waited = SECOND, .arrived = 1 },
                                          { .arrived = 2 } };
    assert_int_equal(order_next(none, 2, speed), -1);
    assert_int_equal(order_next(none, 0, speed), -1);
}

static void test_the_shortest_remaining_is_first(void **state) {
    (void)state;
    const struct order_prompt p[] = { { .due = 300, .arrived = 1 },
                                      { .due = 0, .arrived = 2 },
                                      { .due = 20, .arrived = 4 },
                                      { .due = 40, .arrived = 3 } };
    assert_int_equal(order_next(p, 4, speed), 2);
    assert_int_equal(order_next(p, 2, speed), 0);
}

static void test_of_equals_the_oldest_is_first(void **state) {
    (void)state;
    const struct order_prompt p[] = { { .due = 50, .arrived = 9 },
                                      { .due = 50, .arrived = 3 },
                                      { .due = 50, .arrived = 5 } };
    assert_int_equal(order_next(p, 3, speed), 1);
    const struct order_prompt aged[] = { { .due = 100, .waited = SECOND, .arrived = 9 },
                                         { .due = 100, .waited = SECOND, .arrived = 3 } };
    assert_int_equal(order_next(aged, 2, speed), 1);
}

/* 300 tokens take 3 s. */
static void test_waiting_as_long_as_its_own_processing_puts_it_first(void **state) {
    (void)state;
    struct order_prompt p[] = { { .due = 300, .waited = 3 * SECOND - 1, .arrived = 1 },
                                { .due = 20, .arrived = 2 } };
    assert_int_equal(order_next(p, 2, speed), 1);
    p[0].waited = 3 * SECOND;
    assert_int_equal(order_next(p, 2, speed), 0);
    assert_int_equal(order_next(p, 2, speed / 2), 1); /* they take 6 s there */
}

static void test_of_aged_ones_the_longest_for_its_length(void **state) {
    (void)state;
    struct order_prompt p[] = { { .due = 300, .waited = 6 * SECOND, .arrived = 1 },
                                { .due = 20, .waited = SECOND / 5, .arrived = 2 } };
    assert_int_equal(order_next(p, 2, speed), 0); /* 2 times and once */
    p[1].waited = SECOND / 2;
    assert_int_equal(order_next(p, 2, speed), 1); /* 2.5 times */
}

static void test_none_is_aged_where_the_speed_is_unknown(void **state) {
    (void)state;
    const struct order_prompt p[] = { { .due = 300, .waited = 3600LL * SECOND, .arrived = 1 },
                                      { .due = 20, .arrived = 2 } };
    assert_int_equal(order_next(p, 2, 0), 1);
}

/* ---- over time ---- */

/* One batch of at most 20 tokens, for one prompt. */
static int batch(struct order_prompt *p, int count) {
    int next = order_next(p, count, speed);
    if (next < 0) return next;
    size_t tokens = p[next].due < 20 ? p[next].due : 20;
    p[next].due -= tokens;
    for (int i = 0; i < count; i++)
        if (i != next && p[i].due > 0) p[i].waited += (int64_t)(tokens * SECOND / 100);
    return next;
}

/* The prompts in the order in which they end, and after how many batches. */
static int ends(struct order_prompt *p, int count, int *ret_ended, int *ret_batches) {
    int ended = 0;
    for (int n = 1; ended < count; n++) {
        int next = batch(p, count);
        assert_int_not_equal(next, -1);
        if (p[next].due > 0) continue;
        ret_batches[ended] = n;
        ret_ended[ended++] = next;
    }
    return ended;
}

static void test_three_giants_end_in_turn(void **state) {
    (void)state;
    struct order_prompt p[] = { { .due = 6600, .arrived = 2 },
                                { .due = 6600, .arrived = 1 },
                                { .due = 6600, .arrived = 3 } };
    int ended[3], batches[3];
    assert_int_equal(ends(p, 3, ended, batches), 3);
    assert_int_equal(ended[0], 1);
    assert_int_equal(ended[1], 0);
    assert_int_equal(ended[2], 2);
    assert_in_range(batches[0], 330, 340);
    assert_in_range(batches[1], 660, 670);
    assert_int_equal(batches[2], 990);
}

static void test_a_short_one_passes_a_giant_that_has_begun(void **state) {
    (void)state;
    struct order_prompt p[] = { { .due = 6600, .arrived = 1 }, { .arrived = 2 } };
    for (int i = 0; i < 100; i++) assert_int_equal(batch(p, 2), 0);
    p[1].due = 20;
    assert_int_equal(batch(p, 2), 1);
    assert_int_equal(batch(p, 2), 0);
}

/* Short prompts come without end, each as soon as the one before has ended: as much as the
 * machine can do. The giant has waited as long as it takes after 66 s, and then gets on. */
static void test_short_ones_without_end_do_not_starve_a_giant(void **state) {
    (void)state;
    struct order_prompt p[] = { { .due = 6600, .arrived = 1 }, { .arrived = 2 } };
    int n = 0;
    while (p[0].due > 0) {
        if (p[1].due == 0) p[1] = (struct order_prompt){ .due = 20, .arrived = 3 };
        int next = batch(p, 2);
        if (n < 330) assert_int_equal(next, 1);
        if (n == 330) assert_int_equal(next, 0);
        assert_in_range(n++, 0, 1200);
    }
}

/* ---- pieces ---- */

static void test_a_piece_takes_a_tenth_of_a_second(void **state) {
    (void)state;
    assert_int_equal(order_piece(240, 0), 24);
    assert_int_equal(order_piece(275, 0), 24); /* the nearest multiple of 8 */
    assert_int_equal(order_piece(280, 0), 32);
    assert_int_equal(order_piece(640, 0), 64);
    assert_int_equal(order_piece(1270, 0), 64); /* of 64, and no more than it takes */
    assert_int_equal(order_piece(2000, 0), 192);
}

/* Tokens that are left over take the time of a batch each. */
static void test_a_piece_fills_the_batch_of_the_answers(void **state) {
    (void)state;
    assert_int_equal(order_piece(240, 1), 23);
    assert_int_equal(order_piece(240, 3), 21);
    assert_int_equal(order_piece(630, 1), 63);
    assert_int_equal(order_piece(1290, 2), 126);
    for (size_t answers = 0; answers < 80; answers++) {
        size_t slow = order_piece(5, answers), some = order_piece(300, answers);
        assert_int_equal((slow + answers) % 8, 0);
        assert_int_equal((some + answers) % 8, 0);
        assert_in_range(slow, 4, 11); /* half of the least piece is worth a batch */
    }
}

static void test_a_piece_is_never_nothing(void **state) {
    (void)state;
    assert_int_equal(order_piece(0, 0), PROMPT_PIECE);
    assert_int_equal(order_piece(5, 0), ORDER_PIECE_LEAST);
    assert_int_equal(order_piece(80, 0), ORDER_PIECE_LEAST);
    assert_int_equal(order_piece(5, 4), 4);
    assert_int_equal(order_piece(5, 5), 11);
    assert_true(order_piece(1e300, 0) > 100000);
}

static void test_the_speed_follows_what_is_measured(void **state) {
    (void)state;
    assert_true(order_speed(0, 50, SECOND / 2) == 100);
    assert_true(order_speed(300, 50, SECOND / 2) == 200);
    assert_true(order_speed(2, 3, SECOND) == 2); /* says too little */
    assert_true(order_speed(80, ORDER_PIECE_LEAST, SECOND) == 44);
    assert_true(order_speed(80, 4, SECOND) == 42); /* beside four answers that is a piece */
    assert_true(order_speed(300, 50, 0) == 300);
}

/* Pieces of 48 tokens: 24 are half of one. */
static void test_a_small_batch_does_not_shrink_pieces(void **state) {
    (void)state;
    assert_true(order_speed(480, 23, SECOND) == 480);
    assert_true(order_speed(480, 24, SECOND) == 252);
    assert_true(order_speed(480, 10, SECOND / 100) ==
                740); /* but shows that more is possible */
    assert_true(order_speed(0, 20, SECOND / 10) == 0);
}

/* Of a batch, 20 ms are for the answers and 4 ms for each token of a prompt. */
static void test_pieces_find_their_size(void **state) {
    (void)state;
    double known = 0;
    size_t piece = 0;
    for (int i = 0; i < 20; i++) {
        piece = order_piece(known, 0);
        known = order_speed(known, piece, (int64_t)(20000 + 4000 * piece));
    }
    assert_in_range(piece, 16, 24);                  /* 84 to 116 ms */
    known = order_speed(known, piece, 4LL * SECOND); /* something else had the cores */
    for (int i = 0; i < 6; i++)
        known = order_speed(known, order_piece(known, 0),
                            (int64_t)(20000 + 4000 * order_piece(known, 0)));
    assert_in_range(order_piece(known, 0), 8, 24);
    assert_true(order_piece(known, 0) * 2 >= piece);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nobody_wants_anything),
        cmocka_unit_test(test_the_shortest_remaining_is_first),
        cmocka_unit_test(test_of_equals_the_oldest_is_first),
        cmocka_unit_test(test_waiting_as_long_as_its_own_processing_puts_it_first),
        cmocka_unit_test(test_of_aged_ones_the_longest_for_its_length),
        cmocka_unit_test(test_none_is_aged_where_the_speed_is_unknown),
        cmocka_unit_test(test_three_giants_end_in_turn),
        cmocka_unit_test(test_a_short_one_passes_a_giant_that_has_begun),
        cmocka_unit_test(test_short_ones_without_end_do_not_starve_a_giant),
        cmocka_unit_test(test_a_piece_takes_a_tenth_of_a_second),
        cmocka_unit_test(test_a_piece_fills_the_batch_of_the_answers),
        cmocka_unit_test(test_a_piece_is_never_nothing),
        cmocka_unit_test(test_the_speed_follows_what_is_measured),
        cmocka_unit_test(test_a_small_batch_does_not_shrink_pieces),
        cmocka_unit_test(test_pieces_find_their_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
