/* SPDX-License-Identifier: MIT */
#include "api/lmstudio_rest/v1.h"
#include "cmocka_prelude.h"

#include <string.h>

static const struct load_settings settings = { .context_length = 512,
                                               .eval_batch_size = 128,
                                               .parallel = 2 };

static const struct instance_view view = {
    .identifier = "mine",
    .model_key = "bge-small",
    .type = MODEL_EMBEDDINGS,
    .origin = ORIGIN_EXPLICIT,
    .state = INSTANCE_IDLE,
    .load_progress = 1,
    .ttl = 2500,
    .expires_in = 0,
    .idle_expires_at = 1700000000000,
    .load_time_seconds = 0.5,
    .memory_bytes = 1000,
    .settings = &settings,
};

static void test_load_answer(void **state) {
    struct load_result result = { .instance = &view, .fresh = true };
    struct buf out = BUF_INIT(4096);
    (void)state;
    lmstudio_v1_format_load(&result, false, &out);
    assert_string_equal(buf_str(&out), "{\"type\":\"embedding\",\"instance_id\":\"mine\","
                                       "\"load_time_seconds\":0.5,\"status\":\"loaded\"}");
    buf_clear(&out);
}

static void test_load_answer_says_why_it_is_not_kept(void **state) {
    struct error err;
    struct load_result result = { .instance = &view, .not_kept = &err };
    struct buf out = BUF_INIT(4096);
    (void)state;
    error_set(&err, ERR_IO, "The disk is full.");
    lmstudio_v1_format_load(&result, false, &out);
    assert_non_null(strstr(buf_str(&out),
                           "\"status\":\"loaded\",\"warning\":\"It is loaded, but "
                           "will not be loaded again at the next start: The "
                           "disk is full.\"}"));
    buf_clear(&out);
}

static void test_load_answer_echoes_the_settings_on_demand(void **state) {
    struct load_result result = { .instance = &view };
    struct buf out = BUF_INIT(4096);
    (void)state;
    lmstudio_v1_format_load(&result, true, &out);
    assert_string_equal(buf_str(&out),
                        "{\"type\":\"embedding\",\"instance_id\":\"mine\","
                        "\"load_time_seconds\":0.5,\"status\":\"loaded\",\"load_config\":{"
                        "\"context_length\":512,\"eval_batch_size\":128,\"parallel\":2,"
                        "\"flash_attention\":false,\"offload_kv_cache_to_gpu\":false}}");
    buf_clear(&out);
}

static void test_instance_as_listed(void **state) {
    struct buf out = BUF_INIT(4096);
    (void)state;
    lmstudio_v1_format_instance(&view, &out);
    assert_string_equal(
        buf_str(&out),
        "{\"id\":\"mine\",\"config\":{\"context_length\":512,\"eval_batch_size\":128,"
        "\"parallel\":2,\"flash_attention\":false,\"offload_kv_cache_to_gpu\":false},"
        "\"model\":\"bge-small\",\"origin\":\"explicit\",\"state\":\"idle\","
        "\"load_progress\":1.0,\"ttl\":2.5,\"idle_expires_in\":0,"
        "\"idle_expires_at\":\"2023-11-14T22:13:20.000Z\",\"last_used_at\":null,"
        "\"loaded_at\":null,\"load_time_seconds\":0.5,\"memory_bytes\":1000,\"running\":0,"
        "\"waiting\":0,\"keep\":false}");
    buf_clear(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_load_answer),
        cmocka_unit_test(test_load_answer_says_why_it_is_not_kept),
        cmocka_unit_test(test_load_answer_echoes_the_settings_on_demand),
        cmocka_unit_test(test_instance_as_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
