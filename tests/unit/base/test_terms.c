/* SPDX-License-Identifier: MIT */
#include "base/terms.h"

#include "cmocka_prelude.h"

static void test_names_and_back(void **state) {
    (void)state;
    for (int i = STOP_EOS; i <= STOP_FAILED; i++) {
        assert_int_equal(stop_reason_parse(stop_reason_name((enum stop_reason)i)), i);
    }
    for (int i = CACHE_NONE; i < CACHE_SOURCE_COUNT; i++) {
        assert_int_equal(cache_source_parse(cache_source_name((enum cache_source)i)), i);
    }
    for (int i = REPACK_NONE; i <= REPACK_DONE; i++) {
        assert_int_equal(repack_state_parse(repack_state_name((enum repack_state)i)), i);
    }
    assert_string_equal(stop_reason_name(STOP_TOOL_CALLS), "toolCalls");
    assert_string_equal(model_type_name(MODEL_LLM), "llm");
    assert_string_equal(model_type_name(MODEL_EMBEDDINGS), "embeddings");
}

static void test_unknown_words(void **state) {
    (void)state;
    assert_int_equal(stop_reason_parse("stop"), STOP_FAILED);
    assert_int_equal(cache_source_parse(""), CACHE_NONE);
    assert_int_equal(repack_state_parse("first"), REPACK_NONE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_and_back),
        cmocka_unit_test(test_unknown_words),
    };
    return cmocka_run_group_tests_name("terms", tests, NULL, NULL);
}
