/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include "engine/prompt_room.h"

static const double fast = 1e6, some = 100; /* tokens per second; 100: 300 in PROMPT_SECONDS */

static void test_all_at_once_if_there_is_room(void **state) {
    (void)state;
    assert_int_equal(prompt_room(1, 512, 512, fast), 512);
    assert_int_equal(prompt_room(1, 7, 512, fast), 7);
    assert_int_equal(prompt_room(1, 300, 512, some), 300);
}

static void test_no_small_batch_is_left_over(void **state) {
    (void)state;
    assert_int_equal(prompt_room(1, 520, 512, fast), 260);
    assert_int_equal(prompt_room(1, 1025, 512, fast), 342);
    assert_int_equal(prompt_room(1, 301, 512, some), 151);
}

static void test_several_prompts_fill_it(void **state) {
    (void)state;
    assert_int_equal(prompt_room(4, 520, 512, fast), 512);
    assert_int_equal(prompt_room(2, 270, 512, some), 256);
}

static void test_no_batch_is_longer_than_others_may_wait(void **state) {
    (void)state;
    assert_int_equal(prompt_room(1, 8192, 512, some), 293); /* 28 batches */
    assert_int_equal(prompt_room(2, 8192, 512, some), 256);
    assert_int_equal(prompt_room(2, 8192, 512, 10), 128);
}

static void test_an_unknown_machine_is_tried(void **state) {
    (void)state;
    assert_int_equal(prompt_room(1, 8192, 512, 0), 128);
}

static void test_small_chunks_are_kept(void **state) {
    (void)state;
    assert_int_equal(prompt_room(1, 100, 1, 0), 1);
    assert_int_equal(prompt_room(3, 100, 16, fast), 16);
    assert_int_equal(prompt_share(100, 16, 0), 16);
}

static void test_a_share_is_whole_pieces(void **state) {
    (void)state;
    assert_int_equal(prompt_share(1000, 512, 0), 512);
    assert_int_equal(prompt_share(1000, 200, 0), 192);
    assert_int_equal(prompt_share(1000, 40, 0), 40);
}

static void test_a_prompt_ends_rather_than_leaving_a_rest(void **state) {
    (void)state;
    assert_int_equal(prompt_share(20, 256, 0), 20);
    assert_int_equal(prompt_share(159, 160, 0), 159);
    assert_int_equal(prompt_share(238, 238, 0), 238); /* 46 would take the time of 70 */
    assert_int_equal(prompt_share(161, 160, 0), 128);
    assert_int_equal(prompt_share(70, 64, 0), 64); /* there is no room for it */
}

/* A row of tiles is as long as the batch, whoever's tokens are in it. */
static void test_a_share_makes_the_batch_whole_pieces(void **state) {
    (void)state;
    assert_int_equal(prompt_share(1000, 241, 271), 241);
    assert_int_equal(prompt_share(1000, 200, 1), 191);
    assert_int_equal(prompt_share(1000, 300, 271), 241);
    assert_int_equal(prompt_share(1000, 23, 1), 23);
    assert_int_equal(prompt_share(30, 63, 1), 30);
}

/* Behind 8,000 tokens 29 took as long as a whole piece, behind 500 there were 53. */
static void test_a_piece_is_filled_where_that_is_faster(void **state) {
    (void)state;
    assert_int_equal(prompt_keep(8000, 40), 8000 - 24);
    assert_int_equal(prompt_keep(8000, 29), 8000 - 35);
    assert_int_equal(prompt_keep(8000, 25), 8000);
    assert_int_equal(prompt_keep(600, 60), 600 - 4);
    assert_int_equal(prompt_keep(600, 48), 600);
}

static void test_whole_pieces_and_short_beginnings_stay(void **state) {
    (void)state;
    assert_int_equal(prompt_keep(8000, 64), 8000);
    assert_int_equal(prompt_keep(8000, 100), 8000);
    assert_int_equal(prompt_keep(511, 63), 511);
    assert_int_equal(prompt_keep(0, 63), 0);
}

static void test_a_prompt_follows_in_whole_pieces(void **state) {
    (void)state;
    assert_true(prompt_may_follow(300, 64, false));
    assert_false(prompt_may_follow(300, 63, false));
    assert_true(prompt_may_follow(20, 20, false)); /* ends with it */
    assert_true(prompt_may_follow(300, 5, true));
}

/* Whatever is asked, something is processed, and never more than there is. */
static void test_every_share_goes_on(void **state) {
    (void)state;
    for (size_t room = 1; room < 600; room += 7) {
        for (size_t due = 1; due < 700; due += 11) {
            size_t most = due < room ? due : room;
            assert_in_range(prompt_share(due, room, 0), 1, most);
            assert_in_range(prompt_share(due, room, room + due), 1, most);
            assert_in_range(prompt_room(1, due, room, some), 1, room);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_at_once_if_there_is_room),
        cmocka_unit_test(test_no_small_batch_is_left_over),
        cmocka_unit_test(test_several_prompts_fill_it),
        cmocka_unit_test(test_no_batch_is_longer_than_others_may_wait),
        cmocka_unit_test(test_an_unknown_machine_is_tried),
        cmocka_unit_test(test_small_chunks_are_kept),
        cmocka_unit_test(test_a_share_is_whole_pieces),
        cmocka_unit_test(test_a_prompt_ends_rather_than_leaving_a_rest),
        cmocka_unit_test(test_a_share_makes_the_batch_whole_pieces),
        cmocka_unit_test(test_a_piece_is_filled_where_that_is_faster),
        cmocka_unit_test(test_whole_pieces_and_short_beginnings_stay),
        cmocka_unit_test(test_a_prompt_follows_in_whole_pieces),
        cmocka_unit_test(test_every_share_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
