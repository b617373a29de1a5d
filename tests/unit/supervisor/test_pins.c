/* SPDX-License-Identifier: MIT */
/* The supervisor: what is kept for the next start, and what no longer is. */
#include "scene.h"

#include <string.h>

#include "base/xalloc.h"

static call_id keep(struct scene *s, const char *model, const char *identifier) {
    struct load_request request = request_for(model);
    request.keep = true;
    request.identifier = identifier;
    return load(s, request, &s->told[0]);
}

static void expect_pinned(struct scene *s, const char *json) {
    struct buf text = BUF_INIT(4096);
    supervisor_format_pinned(s->sup, &text);
    assert_string_equal(buf_str(&text), json);
    buf_clear(&text);
}

static void test_an_instance_whose_worker_died_stays_pinned(void **state) {
    struct scene *s = *state;
    (void)keep(s, "one", "mine");
    expect_pinned(s, "[]"); /* after a load that fails there is no second try */
    say(s, 0, MSG_READY, READY);
    assert_int_equal(s->pinned_changes, 1);
    assert_true(instance(s)->keep);
    die(s, 0);
    assert_null(instance(s));
    (void)keep(s, "two", NULL);
    say(s, 1, MSG_READY, READY);
    assert_int_equal(s->pinned_changes, 2);
    expect_pinned(s, "[{\"model\":\"one\",\"identifier\":\"mine\"},{\"model\":\"two\"}]");
}

/* Answers one request, and dies. */
static void serve_and_die(struct scene *s, int n) {
    say(s, n, MSG_READY, READY);
    ask(s, "one", &s->told[1]);
    answer(s, n, MSG_DONE, "{\"stop_reason\":\"eosFound\"}");
    die(s, n);
}

static void test_a_pinned_instance_whose_worker_died_is_loaded_again(void **state) {
    struct scene *s = *state;
    (void)keep(s, "one", "mine");
    serve_and_die(s, 0);
    turn(s);
    assert_int_equal(puppet_count(), 2);
    say(s, 1, MSG_READY, READY);
    assert_string_equal(instance(s)->identifier, "mine");
    expect_pinned(s, "[{\"model\":\"one\",\"identifier\":\"mine\"}]");
}

static void test_what_is_not_pinned_is_not_loaded_again_unasked(void **state) {
    struct scene *s = *state;
    (void)load(s, request_for("one"), &s->told[0]);
    serve_and_die(s, 0);
    turn(s);
    assert_int_equal(puppet_count(), 1);
}

/* Its file is gone: one attempt, and no other before the pause is over. */
static void test_a_pinned_instance_without_a_file_is_not_tried_all_the_time(void **state) {
    struct scene *s = *state;
    (void)keep(s, "one", NULL);
    s->catalog.count = 0;
    serve_and_die(s, 0);
    for (int i = 0; i < 5; i++) turn(s);
    assert_int_equal(puppet_count(), 1);
    assert_int_equal(s->metrics.requests[OP_COMPLETION], 1);
}

static void test_an_unload_by_hand_unpins(void **state) {
    struct scene *s = *state;
    (void)keep(s, "one", NULL);
    say(s, 0, MSG_READY, READY);
    unload(s, "one", &s->told[1]);
    expect_pinned(s, "[]");
    assert_int_equal(s->pinned_changes, 2);
    die(s, 0);
    assert_int_equal(s->told[1].errors, 0);
}

static void test_what_is_not_loaded_can_be_unpinned(void **state) {
    struct scene *s = *state;
    (void)keep(s, "one", NULL);
    say(s, 0, MSG_READY, READY);
    die(s, 0);
    unload(s, "one", &s->told[1]);
    assert_int_equal(s->told[1].error.code, ERR_MODEL_NOT_FOUND);
    assert_non_null(strstr(s->told[1].error.text, "not kept"));
    expect_pinned(s, "[]");
    unload(s, "one", &s->told[2]);
    assert_int_equal(s->told[2].error.code, ERR_MODEL_NOT_FOUND);
    assert_int_equal(s->pinned_changes, 2);
}

static void test_an_unload_of_all_ends_intents_too(void **state) {
    struct scene *s = *state;
    (void)keep(s, "one", "mine");
    say(s, 0, MSG_READY, READY);
    (void)load(s, request_for("one"), &s->told[1]);
    say(s, 1, MSG_READY, READY);
    (void)keep(s, "two", NULL);
    say(s, 2, MSG_READY, READY);
    die(s, 2); /* waits to be loaded again */
    unload(s, NULL, &s->told[2]);
    expect_pinned(s, "[]");
    die(s, 0);
    assert_int_equal(s->told[2].results, 0); /* the other leaves still */
    die(s, 1);
    assert_int_equal(s->told[2].results, 1);
    for (int i = 0; i < 5; i++) turn(s);
    assert_int_equal(puppet_count(), 3);
    unload(s, "two", &s->told[3]);
    assert_null(strstr(s->told[3].error.text, "kept"));
}

static void test_an_unload_of_all_where_there_is_nothing(void **state) {
    struct scene *s = *state;
    unload(s, NULL, &s->told[0]);
    assert_int_equal(s->told[0].results, 1);
}

static const struct instance_change to_jit = { .sets_origin = true, .origin = ORIGIN_JIT };

static void test_a_pinned_instance_that_becomes_jit_is_unpinned(void **state) {
    struct scene *s = *state;
    (void)keep(s, "one", NULL);
    say(s, 0, MSG_READY, READY);
    update(s, "one", (struct instance_change){ .ttl = { true, 60000 } }, &s->told[1]);
    assert_int_equal(s->told[1].results, 1);
    expect_pinned(s, "[{\"model\":\"one\",\"ttl\":60.0}]");
    update(s, "one", to_jit, &s->told[1]);
    expect_pinned(s, "[]");
    assert_int_equal(s->pinned_changes, 3);
    assert_false(instance(s)->keep);
}

static void test_a_pin_of_an_earlier_run_survives_a_load_that_fails(void **state) {
    struct scene *s = *state;
    struct load_request request = request_for("one");
    request.keep = true;
    request.settings.context_length = 512;
    request.ttl = (struct ttl){ .given = true, .value = 1500 };
    supervisor_pin(s->sup, &request);
    (void)load(s, request, &s->told[0]);
    say(s, 0, MSG_FAILED, "{\"code\":\"model_load_failed\",\"text\":\"No.\"}");
    die(s, 0);
    assert_int_equal(s->told[0].errors, 1);
    expect_pinned(s, "[{\"context_length\":512,\"model\":\"one\",\"ttl\":1.5}]");
}

static void test_a_load_without_keep_unpins_nothing(void **state) {
    struct scene *s = *state;
    (void)keep(s, "one", NULL);
    say(s, 0, MSG_READY, READY);
    die(s, 0);
    (void)load(s, request_for("one"), &s->told[1]);
    say(s, 1, MSG_READY, READY);
    assert_int_equal(s->told[1].results, 1);
    expect_pinned(s, "[{\"model\":\"one\"}]");
}

static void test_what_was_unpinned_is_not_pinned_by_a_load_under_way(void **state) {
    struct scene *s = *state;
    struct load_request request = request_for("one");
    request.keep = true;
    supervisor_pin(s->sup, &request);
    (void)load(s, request, &s->told[0]);
    update(s, "one", to_jit, &s->told[1]);
    expect_pinned(s, "[]");
    say(s, 0, MSG_READY, READY);
    assert_int_equal(s->told[0].results, 1);
    expect_pinned(s, "[]");
}

static void test_an_unload_while_a_load_waits_unpins(void **state) {
    struct scene *s = *state;
    (void)keep(s, "one", NULL);
    say(s, 0, MSG_READY, READY);
    unload(s, "one", &s->told[1]); /* its worker takes its time */
    (void)keep(s, "one", NULL);    /* waits until that is gone */
    expect_pinned(s, "[]");
    unload(s, "one", &s->told[2]);
    assert_int_equal(s->told[2].error.code, ERR_MODEL_NOT_FOUND);
    assert_non_null(strstr(s->told[2].error.text, "not kept"));
    die(s, 0);
    say(s, 1, MSG_READY, READY);
    assert_int_equal(s->told[0].results, 2);
    expect_pinned(s, "[]");
}

static void test_a_kept_load_is_answered_when_it_is_on_disk(void **state) {
    struct scene *s = *state;
    s->disk_is_slow = true;
    (void)keep(s, "one", NULL);
    say(s, 0, MSG_READY, READY);
    ask(s, "one", &s->told[1]); /* a request waits for no disk */
    answer(s, 0, MSG_DONE, "{\"stop_reason\":\"eosFound\"}");
    assert_int_equal(s->told[1].results, 1);
    assert_int_equal(s->told[0].results, 0);
    supervisor_pinned_saved(s->sup, NULL);
    assert_int_equal(s->told[0].results, 1);
    assert_int_equal(s->told[0].not_kept, 0);
}

static void test_a_kept_load_says_that_it_cannot_be_on_disk(void **state) {
    struct scene *s = *state;
    struct error full;
    s->disk_is_slow = true;
    (void)keep(s, "one", NULL);
    say(s, 0, MSG_READY, READY);
    error_set(&full, ERR_IO, "The disk is full.");
    supervisor_pinned_saved(s->sup, &full);
    assert_int_equal(s->told[0].results, 1);
    assert_int_equal(s->told[0].not_kept, 1);
    assert_true(instance(s)->keep); /* as long as the server runs */
}

/* Its client has gone, or its worker has. */
static void test_a_kept_load_that_is_over_before_it_is_on_disk(void **state) {
    struct scene *s = *state;
    s->disk_is_slow = true;
    call_id call = keep(s, "one", NULL);
    say(s, 0, MSG_READY, READY);
    supervisor_cancel(s->sup, call);
    turn(s);
    supervisor_pinned_saved(s->sup, NULL);
    assert_int_equal(s->told[0].results, 0);
    (void)keep(s, "two", NULL);
    say(s, 1, MSG_READY, READY);
    unload(s, "two", &s->told[1]);
    die(s, 1);
    supervisor_pinned_saved(s->sup, NULL);
    assert_int_equal(s->told[0].results, 0);
    assert_int_equal(s->told[0].error.code, ERR_MODEL_UNLOADED);
}

/* The server may end before the un-pin is on disk: nobody is told before. */
static void test_an_unload_of_what_is_kept_is_answered_when_it_is_on_disk(void **state) {
    struct scene *s = *state;
    (void)keep(s, "one", NULL);
    say(s, 0, MSG_READY, READY);
    die(s, 0);
    s->disk_is_slow = true;
    unload(s, "one", &s->told[1]);
    assert_int_equal(s->told[1].errors, 0);
    unload(s, "one", &s->told[2]); /* there is nothing to write for this one */
    assert_int_equal(s->told[2].error.code, ERR_MODEL_NOT_FOUND);
    supervisor_pinned_saved(s->sup, NULL);
    assert_int_equal(s->told[1].errors, 1);
    assert_int_equal(s->told[1].error.code, ERR_MODEL_NOT_FOUND);
    assert_null(strstr(s->told[1].error.text, "restart"));
    supervisor_pinned_saved(s->sup, NULL);
    assert_int_equal(s->told[1].errors, 1);
}

static void test_an_unload_says_that_it_cannot_be_on_disk(void **state) {
    struct scene *s = *state;
    struct error full;
    (void)keep(s, "one", NULL);
    say(s, 0, MSG_READY, READY);
    die(s, 0);
    s->disk_is_slow = true;
    unload(s, "one", &s->told[1]);
    error_set(&full, ERR_IO, "The disk is full.");
    supervisor_pinned_saved(s->sup, &full);
    assert_int_equal(s->told[1].error.code, ERR_MODEL_NOT_FOUND);
    assert_non_null(
        strstr(s->told[1].error.text, "the next start may load it again: The disk is full."));
}

/* Its worker may be gone before or after that. */
static void test_an_unload_of_a_kept_instance_waits_for_disk_and_worker(void **state) {
    struct scene *s = *state;
    (void)keep(s, "one", NULL);
    (void)keep(s, "two", NULL);
    say(s, 0, MSG_READY, READY);
    say(s, 1, MSG_READY, READY);
    s->disk_is_slow = true;
    unload(s, "one", &s->told[1]);
    die(s, 0);
    assert_int_equal(s->told[1].results, 0);
    supervisor_pinned_saved(s->sup, NULL);
    assert_int_equal(s->told[1].results, 1);
    unload(s, NULL, &s->told[2]);
    supervisor_pinned_saved(s->sup, NULL);
    assert_int_equal(s->told[2].results, 0);
    die(s, 1);
    assert_int_equal(s->told[2].results, 1);
}

static void test_an_update_that_unpins_is_answered_when_it_is_on_disk(void **state) {
    struct scene *s = *state;
    (void)keep(s, "one", NULL);
    say(s, 0, MSG_READY, READY);
    s->disk_is_slow = true;
    update(s, "one", to_jit, &s->told[1]);
    assert_int_equal(s->told[1].results, 0);
    supervisor_pinned_saved(s->sup, NULL);
    assert_int_equal(s->told[1].results, 1);
    update(s, "one", to_jit, &s->told[2]); /* nothing to write */
    assert_int_equal(s->told[2].results, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_an_instance_whose_worker_died_stays_pinned),
        TEST(test_an_unload_by_hand_unpins),
        TEST(test_a_pinned_instance_whose_worker_died_is_loaded_again),
        TEST(test_what_is_not_pinned_is_not_loaded_again_unasked),
        TEST(test_a_pinned_instance_without_a_file_is_not_tried_all_the_time),
        TEST(test_what_is_not_loaded_can_be_unpinned),
        TEST(test_a_pinned_instance_that_becomes_jit_is_unpinned),
        TEST(test_a_pin_of_an_earlier_run_survives_a_load_that_fails),
        TEST(test_a_load_without_keep_unpins_nothing),
        TEST(test_what_was_unpinned_is_not_pinned_by_a_load_under_way),
        TEST(test_an_unload_while_a_load_waits_unpins),
        TEST(test_an_unload_of_all_ends_intents_too),
        TEST(test_an_unload_of_all_where_there_is_nothing),
        TEST(test_a_kept_load_is_answered_when_it_is_on_disk),
        TEST(test_a_kept_load_says_that_it_cannot_be_on_disk),
        TEST(test_a_kept_load_that_is_over_before_it_is_on_disk),
        TEST(test_an_unload_of_what_is_kept_is_answered_when_it_is_on_disk),
        TEST(test_an_unload_says_that_it_cannot_be_on_disk),
        TEST(test_an_unload_of_a_kept_instance_waits_for_disk_and_worker),
        TEST(test_an_update_that_unpins_is_answered_when_it_is_on_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
