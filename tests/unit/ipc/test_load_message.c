/* SPDX-License-Identifier: MIT */
#include "ipc/load_message.h"

#include <string.h>

#include "cmocka_prelude.h"

static bool parse(struct load_message *m, const char *text, struct error *err) {
    return load_message_parse(m, text, strlen(text), err);
}

static void test_only_the_path_is_needed(void **state) {
    (void)state;
    struct load_message m;
    struct error err;
    assert_true(parse(&m, "{\"path\":\"/m.gguf\"}", &err));
    assert_string_equal(m.path, "/m.gguf");
    assert_int_equal(m.settings.parallel, 4);
    assert_int_equal(m.settings.eval_batch_size, 512);
    assert_int_equal(m.settings.context_length, 0);
    assert_int_equal(m.settings.gpu_layers, -1);
    assert_true(m.settings.mmap && !m.settings.mlock);
    assert_int_equal(m.settings.repack, LOAD_REPACK_NEVER);
    assert_int_equal(m.settings.kv_type_k, KV_TYPE_F16);
    assert_null(m.settings.chat_template);
    assert_int_equal(m.settings.adapters.count, -1);
    load_message_clear(&m);
    assert_true(parse(&m, "{\"path\":\"/m\",\"parallel\":null,\"mmap\":null}", &err));
    assert_int_equal(m.settings.parallel, 4);
    assert_int_equal(m.settings.mmap, 1);
    load_message_clear(&m);
}

static void test_what_is_written_is_read(void **state) {
    (void)state;
    struct load_message said = { .settings = { .context_length = 100,
                                               .parallel = 2,
                                               .eval_batch_size = 64,
                                               .flash_attention = 0,
                                               .offload_kv_cache_to_gpu = 1,
                                               .num_experts = 8,
                                               .chunk_size = 32,
                                               .threads = 3,
                                               .gpu_layers = 7,
                                               .kv_type_k = KV_TYPE_Q8_0,
                                               .kv_type_v = KV_TYPE_F32,
                                               .rope_frequency_base = 10000,
                                               .rope_frequency_scale = 0.5,
                                               .repack = LOAD_REPACK_FIRST,
                                               .mmap = 0,
                                               .mlock = 1,
                                               .draft_model = "d",
                                               .draft_tokens = 4,
                                               .seed = 5,
                                               .adapters = { 1, { { "/a.gguf", 0.5 } } },
                                               .chat_template = "{{ x }}",
                                               .reasoning_ending = "So: " },
                                 .path = "/m",
                                 .draft = "/d",
                                 .identifier = "i",
                                 .cells = 1024,
                                 .prompt_tokens = 9,
                                 .prefetched = true,
                                 .memory_bytes = 1 << 30,
                                 .shrink_seconds = 1.5,
                                 .growth_seconds = 2.5,
                                 .prompts = { PROMPT_STORE_ON, "/p", 77 } };
    struct load_message m;
    struct error err;
    struct buf text = BUF_INIT(1 << 16);
    load_message_format(&said, &text);
    assert_true(parse(&m, buf_str(&text), &err));
    assert_true(load_settings_hash(&m.settings) == load_settings_hash(&said.settings));
    assert_string_equal(m.settings.chat_template, "{{ x }}");
    assert_string_equal(m.settings.adapters.list[0].path, "/a.gguf");
    assert_string_equal(m.identifier, "i");
    assert_string_equal(m.draft, "/d");
    assert_true(m.cells == 1024 && m.prompt_tokens == 9 && m.prefetched);
    assert_true(m.memory_bytes == 1 << 30 && m.shrink_seconds == 1.5);
    assert_true(m.growth_seconds == 2.5);
    assert_int_equal(m.prompts.mode, PROMPT_STORE_ON);
    assert_string_equal(m.prompts.dir, "/p");
    assert_int_equal(m.prompts.memory_bytes, 77);
    load_message_clear(&m);
    buf_clear(&text);
}

/* What is the model's own is not the draft model's. */
static void test_the_load_of_a_draft_model(void **state) {
    (void)state;
    struct load_message m;
    struct error err;
    assert_true(
        parse(&m,
              "{\"path\":\"/m\",\"draft\":\"/d\",\"projector\":\"/p\",\"num_experts\":2,"
              "\"rope_frequency_base\":5.0,\"kv_type_k\":\"q8_0\",\"repack\":"
              "\"background\",\"speculation\":\"lookup\",\"gpu_layers\":3,"
              "\"adapters\":[{\"path\":\"/a\"}]}",
              &err));
    struct load_message draft = load_message_of_draft(&m);
    assert_string_equal(draft.path, "/d");
    assert_null(draft.draft);
    assert_null(draft.projector);
    assert_int_equal(draft.settings.num_experts, 0);
    assert_true(draft.settings.rope_frequency_base == 0);
    assert_int_equal(draft.settings.kv_type_k, KV_TYPE_F16);
    assert_int_equal(draft.settings.repack, LOAD_REPACK_NEVER);
    assert_int_equal(draft.settings.speculation, LOAD_SPECULATION_OFF);
    assert_int_equal(draft.settings.gpu_layers, 3);
    assert_int_equal(m.settings.adapters.count, 1);
    assert_int_equal(draft.settings.adapters.count, -1);
    load_message_clear(&m);
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
        { "{\"path\":\"/m\",\"draft\":1}", "draft" },
        { "{\"path\":\"/m\",\"cells\":-1}", "cells" },
        { "{\"path\":\"/m\",\"prompt_tokens\":-1}", "prompt_tokens" },
        { "{\"path\":\"/m\",\"prefetched\":1}", "prefetched" },
        { "{\"path\":\"/m\",\"shrink_seconds\":-1}", "shrink_seconds" },
        { "{\"path\":\"/m\",\"prompts\":{\"mode\":\"maybe\"}}", "mode" },
        { "{\"path\":\"/m\",\"prompts\":{\"mode\":\"on\"}}", "dir" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct load_message m;
        struct error err = { 0 };
        assert_false(parse(&m, rows[i][0], &err));
        assert_string_equal(err.param, rows[i][1]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_the_path_is_needed),
        cmocka_unit_test(test_what_is_written_is_read),
        cmocka_unit_test(test_the_load_of_a_draft_model),
        cmocka_unit_test(test_what_is_wrong_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
