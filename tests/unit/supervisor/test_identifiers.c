/* SPDX-License-Identifier: MIT */
/* The names of instances: what they mean, who may have them, and that they outlive a worker. */
#include "scene.h"

#include <string.h>

static void test_a_key_means_an_instance_only_if_there_is_one(void **state) {
    struct scene *s = *state;
    load_named(s, "a", &s->told[0]);
    say(s, 0, MSG_READY, READY);
    load_named(s, "b", &s->told[1]);
    say(s, 1, MSG_READY, READY);
    unload(s, "one", &s->told[2]);
    assert_int_equal(s->told[2].error.code, ERR_MODEL_NOT_FOUND);
    assert_non_null(strstr(s->told[2].error.text, "2 instances"));
    unload(s, "b", &s->told[3]);
    die(s, 1);
    unload(s, "one", &s->told[4]);
    die(s, 0);
    assert_int_equal(s->told[4].results, 1);
}

/* LM Studio's clients know an embedding model by this name, also when they unload it. */
static void test_an_unload_takes_every_name_that_a_load_takes(void **state) {
    struct scene *s = *state;
    s->models[0].type = MODEL_EMBEDDINGS;
    load_named(s, NULL, &s->told[0]);
    say(s, 0, MSG_READY, READY);
    unload(s, "text-embedding-two", &s->told[1]);
    assert_int_equal(s->told[1].error.code, ERR_MODEL_NOT_FOUND);
    unload(s, "text-embedding-one", &s->told[2]);
    die(s, 0);
    assert_int_equal(s->told[2].results, 1);
}

static void test_an_identifier_in_use_is_refused(void **state) {
    struct scene *s = *state;
    load_named(s, "a", &s->told[0]);
    load_named(s, "a", &s->told[1]);
    assert_int_equal(s->told[1].error.code, ERR_IDENTIFIER_IN_USE);
    assert_int_equal(puppet_count(), 1);
}

/* A request for "two" would reach the instance of "one". */
static void test_an_identifier_that_is_another_models_key_is_refused(void **state) {
    struct scene *s = *state;
    load_named(s, "Two", &s->told[0]);
    assert_int_equal(s->told[0].error.code, ERR_IDENTIFIER_IN_USE);
    assert_int_equal(puppet_count(), 0);
    load_named(s, "ONE", &s->told[1]); /* its own */
    assert_int_equal(puppet_count(), 1);
}

/* A client that tries again at once is not told that the identifier is taken. */
static void test_a_failed_load_has_given_back_its_identifier(void **state) {
    struct scene *s = *state;
    struct load_request mine = request_for("one");
    mine.identifier = "mine";
    (void)load(s, mine, &s->told[0]);
    say(s, 0, MSG_FAILED, "{\"code\":\"model_load_failed\",\"text\":\"No such layer.\"}");
    assert_int_equal(told_of(&s->told[0]), 0);
    die(s, 0);
    assert_string_equal(s->told[0].error.text, "No such layer.");
    (void)load(s, mine, &s->told[1]);
    say(s, 1, MSG_READY, READY);
    assert_int_equal(s->told[1].results, 1);
    assert_string_equal(instance(s)->identifier, "mine");
}

/* Failure: intent outlives the worker. */
static void test_failure_an_identifier_outlives_its_worker(void **state) {
    struct scene *s = *state;
    struct load_request demanding = request_for("one");
    demanding.identifier = "a";
    demanding.settings.context_length = 2048;
    (void)load(s, demanding, &s->told[0]);
    say(s, 0, MSG_READY, READY);
    die(s, 0);
    assert_null(instance(s)); /* nothing is loaded */
    ask(s, "a", &s->told[1]);
    assert_int_equal(puppet_count(), 2);
    assert_non_null(strstr(puppet_heard(puppet(1), MSG_LOAD), "\"context_length\":2048"));
    say(s, 1, MSG_READY, READY);
    assert_string_equal(instance(s)->identifier, "a");
    assert_int_equal(instance(s)->origin, ORIGIN_EXPLICIT);
}

static void test_failure_what_died_can_be_loaded_by_its_identifier(void **state) {
    struct scene *s = *state;
    load_named(s, "a", &s->told[0]);
    say(s, 0, MSG_READY, READY);
    die(s, 0);
    load_named(s, "a", &s->told[1]);
    assert_int_equal(puppet_count(), 2);
    say(s, 1, MSG_READY, READY);
    assert_int_equal(s->told[1].results, 1);
    assert_string_equal(instance(s)->identifier, "a");
}

/* Not loaded is 404, as ever; but it does not come back. */
static void test_failure_what_died_can_be_forgotten(void **state) {
    struct scene *s = *state;
    load_named(s, "a", &s->told[0]);
    say(s, 0, MSG_READY, READY);
    die(s, 0);
    unload(s, "a", &s->told[1]);
    assert_int_equal(s->told[1].error.code, ERR_MODEL_NOT_FOUND);
    assert_non_null(strstr(s->told[1].error.text, "not kept"));
    unload(s, "a", &s->told[2]);
    assert_null(strstr(s->told[2].error.text, "not kept"));
    ask(s, "one", &s->told[3]);
    say(s, 1, MSG_READY, READY);
    assert_int_equal(instance(s)->origin, ORIGIN_JIT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_a_key_means_an_instance_only_if_there_is_one),
        TEST(test_an_unload_takes_every_name_that_a_load_takes),
        TEST(test_an_identifier_in_use_is_refused),
        TEST(test_an_identifier_that_is_another_models_key_is_refused),
        TEST(test_a_failed_load_has_given_back_its_identifier),
        TEST(test_failure_an_identifier_outlives_its_worker),
        TEST(test_failure_what_died_can_be_loaded_by_its_identifier),
        TEST(test_failure_what_died_can_be_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
