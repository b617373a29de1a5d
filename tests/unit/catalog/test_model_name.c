/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "catalog/capabilities.h"
#include "catalog/gguf_types.h"
#include "catalog/model_name.h"
#include "catalog/text_safe.h"

static void test_bases(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        { "lmstudio-community/Qwen2.5-0.5B-Instruct-GGUF/Qwen2.5-0.5B-Instruct-Q8_0.gguf",
          "qwen2.5-0.5b-instruct" },
        { "llama-3.gguf", "llama-3" },
        { "Model-7B.Q4_K_M.gguf", "model-7b" },
        { "model-7b_q4_0.gguf", "model-7b" },
        { "Model-7B.i1-IQ2_XXS.GGUF", "model-7b" },
        { "Qwen3-8B-UD-Q4_K_XL.gguf", "qwen3-8b" },
        { "gpt-oss-20b-MXFP4.gguf", "gpt-oss-20b" },
        { "gemma-2b-it-bf16.gguf", "gemma-2b-it" },
        { "big-Q4_K_M-00001-of-00003.gguf", "big" },
        { "Q5_1-q8_0.gguf", "q5_1" },
        { "pub/Some-Model-GGUF/ggml-model-q4_0.gguf", "some-model" },
        { "pub/Some-Model-GGUF/model.gguf", "some-model" },
        { "Some-Folder/Q8_0.gguf", "some-folder" },
        { "model.gguf", "model" },
        { "Q8_0.gguf", "model" },
        { ".gguf", "model" },
        { "My Model @ Home.gguf", "my-model---home" },
        { "models--Qwen--Qwen2.5-GGUF/snapshots/abc/qwen2.5-q8_0.gguf", "qwen2.5" },
        { "models--Qwen--Qwen2.5-GGUF/snapshots/abc/model.gguf", "qwen2.5" },
        { "bad\xff\x01name.gguf", "bad--name" },
        { "\xc3\x84pfel.gguf", "\xc3\x84pfel" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct model_place place = model_place_parse(cases[i][0]);
        char *base = model_base(&place);
        assert_string_equal(base, cases[i][1]);
        free(base);
    }
}

static void test_publishers(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        { "pub/model/file.gguf", "pub" },
        { "pub/model/UD-Q4_K_XL/file.gguf", "pub" },
        { "model/file.gguf", "" },
        { "file.gguf", "" },
        { "models--Qwen--Qwen2.5-GGUF/snapshots/abc/f.gguf", "Qwen" },
        { "hub/models--Qwen--Qwen2.5-GGUF/snapshots/abc/sub/f.gguf", "Qwen" },
        { "models--gpt2/snapshots/abc/f.gguf", "" },
        { "models--Qwen--Qwen2.5-GGUF/other/abc/f.gguf", "models--Qwen--Qwen2.5-GGUF" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct model_place place = model_place_parse(cases[i][0]);
        assert_int_equal(place.publisher_len, strlen(cases[i][1]));
        assert_memory_equal(place.publisher ? place.publisher : "", cases[i][1],
                            place.publisher_len);
    }
}

static void test_quantization_in_the_name(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        { "a-q4_k_m.gguf", "Q4_K_M" },  { "a-f16-00001-of-00002.gguf", "F16" },
        { "a-UD-IQ1_S.gguf", "IQ1_S" }, { "a.gguf", "" },
        { "qwen-7b.gguf", "" },         { "a-Q4_K_M_AND_MUCH_MORE.gguf", "" },
        { "a-tq1_0.gguf", "TQ1_0" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char name[16];
        model_name_quantization(cases[i][0], name);
        assert_string_equal(name, cases[i][1]);
    }
}

static void test_text_is_made_safe(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        { "plain", "plain" },
        { "  blanks  ", "blanks" },
        { "tab\tnew\nline\x7f", "tab?new?line?" },
        { "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80", "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80" },
        { "cut \xe2\x82", "cut ??" },
        { "overlong \xc0\xaf", "overlong ??" },
        { "surrogate \xed\xa0\x80", "surrogate ???" },
        { "beyond \xf4\x90\x80\x80", "beyond ????" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *safe = text_safe(cases[i][0], strlen(cases[i][0]));
        assert_string_equal(safe, cases[i][1]);
        assert_true(utf8_is_valid(safe, strlen(safe)));
        free(safe);
    }
}

static void test_capabilities(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool tools, reasoning;
    } cases[] = {
        { "", false, false },
        { "{% if tools %}", true, false },
        { "{{ mytools }} tools_in_use", false, false },
        { "mytools and tools", true, false },
        { "tools", true, false },
        { "<think>", false, true },
        { "{% if enable_thinking %}", false, true },
        { "think of tool use", false, false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t len = strlen(cases[i].text);
        assert_int_equal(template_has_tools(cases[i].text, len), cases[i].tools);
        assert_int_equal(template_has_reasoning(cases[i].text, len), cases[i].reasoning);
    }
    assert_true(architecture_is_embedding("nomic-bert", -1));
    assert_true(architecture_is_embedding("qwen3", 3));
    assert_false(architecture_is_embedding("qwen3", -1));
    assert_false(architecture_is_embedding("llama", 0));
}

static void test_type_names(void **state) {
    (void)state;
    assert_string_equal(gguf_file_type_name(0), "F32");
    assert_string_equal(gguf_file_type_name(15), "Q4_K_M");
    assert_string_equal(gguf_file_type_name(1024 + 7), "Q8_0"); /* guessed */
    assert_string_equal(gguf_file_type_name(4), "");            /* withdrawn */
    assert_string_equal(gguf_file_type_name(-1), "");
    assert_string_equal(gguf_file_type_name(INT64_MAX), "");
    assert_string_equal(gguf_tensor_type_find(8)->name, "Q8_0");
    assert_null(gguf_tensor_type_find(4));
    assert_null(gguf_tensor_type_find(UINT32_MAX));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bases),
        cmocka_unit_test(test_publishers),
        cmocka_unit_test(test_quantization_in_the_name),
        cmocka_unit_test(test_text_is_made_safe),
        cmocka_unit_test(test_capabilities),
        cmocka_unit_test(test_type_names),
    };
    return cmocka_run_group_tests_name("model_name", tests, NULL, NULL);
}
