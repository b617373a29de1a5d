/* SPDX-License-Identifier: MIT */
#include "engine/load_request.h"

#include <string.h>

#include "cmocka_prelude.h"

static bool parse(struct load_request *r, const char *text, struct error *err) {
    return load_request_parse(r, text, strlen(text), err);
}

static void test_only_the_path_is_needed(void **state) {
    (void)state;
    struct load_request r;
    struct error err;
    assert_true(parse(&r, "{\"path\":\"/m.gguf\"}", &err));
    assert_string_equal(r.path, "/m.gguf");
    assert_int_equal(r.parallel, 4);
    assert_int_equal(r.batch, 512);
    assert_int_equal(r.context_length, 0);
    assert_int_equal(r.gpu_layers, -1);
    assert_true(r.mmap);
    assert_false(r.mlock);
    assert_int_equal(r.repack, LOAD_REPACK_NEVER);
    assert_string_equal(r.kv_type_k, "f16");
    assert_null(r.chat_template);
    load_request_clear(&r);
}

static void test_every_field(void **state) {
    (void)state;
    struct load_request r;
    struct error err;
    assert_true(
        parse(&r,
              "{\"path\":\"/m\",\"identifier\":\"i\",\"context_length\":100,\"parallel\":2,"
              "\"batch\":64,\"threads\":3,\"threads_batch\":5,\"flash_attention\":\"off\","
              "\"kv_type_k\":\"q8_0\",\"kv_type_v\":\"f32\",\"mmap\":false,\"mlock\":true,"
              "\"repack\":\"first\",\"gpu_layers\":7,\"num_experts\":8,"
              "\"rope_frequency_base\":10000,\"rope_frequency_scale\":0.5,"
              "\"chat_template\":\"x\"}",
              &err));
    assert_int_equal(r.context_length, 100);
    assert_int_equal(r.threads, 3);
    assert_int_equal(r.threads_batch, 5);
    assert_int_equal(r.gpu_layers, 7);
    assert_int_equal(r.num_experts, 8);
    assert_float_equal(r.rope_frequency_scale, 0.5, 0);
    assert_string_equal(r.chat_template, "x");
    assert_true(r.mlock && !r.mmap);
    assert_int_equal(r.repack, LOAD_REPACK_FIRST);
    load_request_clear(&r);
}

static void test_what_is_wrong_is_named(void **state) {
    (void)state;
    static const char *const rows[][2] = {
        { "{}", "path" },
        { "{\"path\":1}", "path" },
        { "{\"path\":\"/m\",\"parallel\":0}", "parallel" },
        { "{\"path\":\"/m\",\"parallel\":65}", "parallel" },
        { "{\"path\":\"/m\",\"context_length\":16777217}", "context_length" },
        { "{\"path\":\"/m\",\"mmap\":\"yes\"}", "mmap" },
        { "{\"path\":\"/m\",\"gpu_layers\":-2}", "gpu_layers" },
        { "{\"path\":\"/m\",\"repack\":\"later\"}", "repack" },
        { "{\"path\":\"/m\",\"repack\":true}", "repack" },
        { "{\"path\":\"/m\",\"cells\":-1}", "cells" },
        { "{\"path\":\"/m\",\"prompt_tokens\":-1}", "prompt_tokens" },
        { "{\"path\":\"/m\",\"prefetched\":1}", "prefetched" },
        { "{\"path\":\"/m\",\"shrink_seconds\":-1}", "shrink_seconds" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct load_request r;
        struct error err = { 0 };
        assert_false(parse(&r, rows[i][0], &err));
        assert_string_equal(err.param, rows[i][1]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_the_path_is_needed),
        cmocka_unit_test(test_every_field),
        cmocka_unit_test(test_what_is_wrong_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
