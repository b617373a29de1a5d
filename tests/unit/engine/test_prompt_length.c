/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include <string.h>

#include "engine/prompt_length.h"

static bool fits(const char *text, const struct prompt_bound *bound, struct error *err) {
    struct sampling defaults = sampling_defaults();
    struct request r;
    *err = (struct error){ 0 };
    assert_true(request_parse(&r, text, strlen(text), &defaults, INT32_MAX, err));
    bool may = prompt_length_may_fit(&r, bound, err);
    request_clear(&r);
    return may;
}

static void test_a_text_longer_than_all_tokens_together_is_refused(void **state) {
    const struct prompt_bound bound = { .context = 4, .longest_token = 2 };
    struct error err;
    (void)state;
    assert_true(fits("{\"op\":\"completion\",\"prompt\":\"123456789\"}", &bound, &err));
    assert_false(fits("{\"op\":\"completion\",\"prompt\":\"1234567890\"}", &bound, &err));
    assert_int_equal(err.code, ERR_CONTEXT_LENGTH);
    assert_non_null(strstr(err.text, "maximum context length is 4 tokens"));
    assert_non_null(strstr(err.text, "at least 5 tokens"));
}

static void test_the_suffix_counts(void **state) {
    const struct prompt_bound bound = { .context = 4, .longest_token = 2 };
    struct error err;
    (void)state;
    assert_false(fits("{\"op\":\"completion\",\"prompt\":\"12345\",\"suffix\":\"67890\"}",
                      &bound, &err));
}

static void test_tokens_are_counted_without_a_bound(void **state) {
    const struct prompt_bound bound = { .context = 4, .longest_token = 0 };
    struct error err;
    (void)state;
    assert_true(fits("{\"op\":\"completion\",\"prompt\":[1,2,3,4]}", &bound, &err));
    assert_false(fits("{\"op\":\"completion\",\"prompt\":[1,2,3,4,5]}", &bound, &err));
    assert_null(strstr(err.text, "at least"));
}

static void test_a_vocabulary_without_a_bound_says_nothing_of_texts(void **state) {
    const struct prompt_bound bound = { .context = 1, .longest_token = 0 };
    struct error err;
    (void)state;
    assert_true(fits("{\"op\":\"completion\",\"prompt\":\"1234567890\"}", &bound, &err));
}

static void test_of_a_chat_the_users_texts_count(void **state) {
    const struct prompt_bound bound = { .context = 2, .longest_token = 2 };
    struct error err;
    (void)state;
    assert_true(fits("{\"op\":\"chat\",\"messages\":[{\"role\":\"user\",\"content\":\"12345\"},"
                     "{\"role\":\"assistant\",\"content\":\"1234567890\"},"
                     "{\"role\":\"user\",\"content\":\"\"}]}",
                     &bound, &err));
    assert_false(
        fits("{\"op\":\"chat\",\"messages\":[{\"role\":\"user\",\"content\":\"123\"},"
             "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"123\"}]}]}",
             &bound, &err));
}

static void test_each_input_of_an_embedding_counts_alone(void **state) {
    const struct prompt_bound bound = { .context = 2, .longest_token = 2 };
    struct error err;
    (void)state;
    assert_true(fits("{\"op\":\"embedding\",\"input\":[\"1234\",\"1234\"]}", &bound, &err));
    assert_false(fits("{\"op\":\"embedding\",\"input\":[\"1\",\"123456\"]}", &bound, &err));
}

static void test_of_a_ranking_the_query_counts(void **state) {
    const struct prompt_bound bound = { .context = 2, .longest_token = 2 };
    struct error err;
    (void)state;
    assert_true(fits("{\"op\":\"rerank\",\"query\":\"1234\",\"documents\":[\"123456\"]}",
                     &bound, &err));
    assert_false(
        fits("{\"op\":\"rerank\",\"query\":\"123456\",\"documents\":[\"1\"]}", &bound, &err));
    assert_int_equal(err.code, ERR_CONTEXT_LENGTH);
}

static void test_what_is_cut_is_never_too_long(void **state) {
    const struct prompt_bound bound = { .context = 2, .longest_token = 2 };
    struct error err;
    (void)state;
    assert_true(
        fits("{\"op\":\"embedding\",\"input\":[\"123456\"],\"truncate\":true}", &bound, &err));
    assert_true(fits("{\"op\":\"completion\",\"prompt\":\"1234567890\","
                     "\"overflow\":\"rolling_window\"}",
                     &bound, &err));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_text_longer_than_all_tokens_together_is_refused),
        cmocka_unit_test(test_the_suffix_counts),
        cmocka_unit_test(test_tokens_are_counted_without_a_bound),
        cmocka_unit_test(test_a_vocabulary_without_a_bound_says_nothing_of_texts),
        cmocka_unit_test(test_of_a_chat_the_users_texts_count),
        cmocka_unit_test(test_each_input_of_an_embedding_counts_alone),
        cmocka_unit_test(test_of_a_ranking_the_query_counts),
        cmocka_unit_test(test_what_is_cut_is_never_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
