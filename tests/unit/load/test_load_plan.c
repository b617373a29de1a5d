/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include <string.h>

#include "layers.h"
#include "load/load_plan.h"

static const struct load_settings unset = LOAD_SETTINGS_UNSET;

static const struct model_shape small = {
    .name = "small",
    .size = 500 << 20,
    .context_length = 32768,
    .layers = 24,
    .kv_heads = 2,
    .key_length = 64,
    .value_length = 64,
    .embedding_length = 896,
};

static bool resolve(const struct model_shape *model, const struct load_settings *for_all,
                    const struct load_settings *for_model,
                    const struct load_settings *requested, struct load_settings *s,
                    struct error *err) {
    struct load_layers layers = { for_all, for_model, requested, 0 };
    return load_plan_resolve(model, &layers, s, err);
}

static void test_defaults(void **state) {
    (void)state;
    struct load_settings s;
    struct error err;
    assert_true(resolve(&small, NULL, NULL, NULL, &s, &err));
    assert_int_equal(s.context_length, 32768); /* costs nothing before it is used */
    assert_int_equal(s.parallel, 4);
    assert_int_equal(s.eval_batch_size, 512);
    assert_int_equal(s.kv_type_k, KV_TYPE_F16);
    assert_int_equal(s.kv_type_v, KV_TYPE_F16);
    assert_int_equal(s.gpu_layers, -1);
    assert_int_equal(s.flash_attention, -1);

    struct model_shape model = small;
    model.context_length = 1024;
    assert_true(resolve(&model, NULL, NULL, NULL, &s, &err));
    assert_int_equal(s.context_length, 1024);
    model.context_length = 0; /* unknown */
    assert_true(resolve(&model, NULL, NULL, NULL, &s, &err));
    assert_int_equal(s.context_length, 4096);
}

/* JIT loading, rule 6: the same layers for every path, the nearer one wins. */
static void test_nearer_layers_win(void **state) {
    (void)state;
    struct load_settings all = layer("{\"context_length\":1000,\"parallel\":2,\"mmap\":false}");
    struct load_settings one = layer("{\"context_length\":2000,\"threads\":5}");
    struct load_settings now = layer("{\"context_length\":3000}");
    struct load_settings s;
    struct error err;
    assert_true(resolve(&small, &all, &one, &now, &s, &err));
    assert_int_equal(s.context_length, 3000);
    assert_int_equal(s.parallel, 2);
    assert_int_equal(s.threads, 5);
    assert_int_equal(s.mmap, 0);
    assert_true(resolve(&small, &all, &one, NULL, &s, &err));
    assert_int_equal(s.context_length, 2000);
    struct load_settings on = layer("{\"mmap\":true}");
    assert_true(resolve(&small, &all, &on, NULL, &s, &err));
    assert_int_equal(s.mmap, 1);
}

/* A demand that cannot be met is an error; a general wish is cut to what the model can. */
static void test_a_share_of_the_layers_is_a_number_of_them(void **state) {
    (void)state;
    static const struct {
        const char *for_model, *requested;
        int64_t layers;
    } cases[] = {
        { "{}", "{\"gpu\":0.5}", 12 },
        { "{}", "{\"gpu\":\"off\"}", 0 },
        { "{}", "{\"gpu\":\"max\"}", -1 },
        { "{\"gpu_layers\":5}", "{\"gpu\":0.25}", 6 },
        { "{\"gpu\":0.25}", "{\"gpu_layers\":5}", 5 },
        { "{\"gpu\":0.25}", "{}", 6 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct load_settings for_model = layer(cases[i].for_model), s;
        struct load_settings requested = layer(cases[i].requested);
        struct error err;
        assert_true(resolve(&small, NULL, &for_model, &requested, &s, &err));
        assert_int_equal(s.gpu_layers, cases[i].layers);
        assert_true(s.gpu == -1); /* said in one way, so that equal settings are equal */
    }
}

static void test_context_longer_than_the_model(void **state) {
    (void)state;
    struct load_settings wish = layer("{\"context_length\":32769}");
    struct load_settings s = unset;
    struct error err;
    assert_true(resolve(&small, &wish, NULL, NULL, &s, &err));
    assert_int_equal(s.context_length, 32768);
    assert_true(resolve(&small, NULL, &wish, NULL, &s, &err));
    assert_int_equal(s.context_length, 32768);
    assert_false(resolve(&small, NULL, NULL, &wish, &s, &err));
    assert_int_equal(err.code, ERR_INVALID_REQUEST);
    assert_string_equal(err.param, "context_length");
    assert_non_null(strstr(err.text, "32768 at most"));
    struct load_settings stretched = layer(
        "{\"context_length\":65536,\"rope_frequency_scale\":0.5}");
    assert_true(resolve(&small, NULL, NULL, &stretched, &s, &err));
    assert_int_equal(s.context_length, 65536);
}

static void test_quantized_values_need_flash_attention(void **state) {
    (void)state;
    struct load_settings off = layer("{\"flash_attention\":false,\"kv_type_v\":\"q8_0\"}");
    struct load_settings keys = layer("{\"flash_attention\":false,\"kv_type_k\":\"q8_0\"}");
    struct load_settings s;
    struct error err;
    assert_false(resolve(&small, NULL, NULL, &off, &s, &err));
    assert_string_equal(err.param, "kv_type_v");
    assert_true(resolve(&small, NULL, NULL, &keys, &s, &err));
}

static void test_encoders_take_a_whole_input_in_a_batch(void **state) {
    (void)state;
    struct model_shape model = { .name = "e",
                                 .type = MODEL_EMBEDDINGS,
                                 .context_length = 2048 };
    struct load_settings s;
    struct error err;
    assert_true(resolve(&model, NULL, NULL, NULL, &s, &err));
    assert_int_equal(s.eval_batch_size, 2048);
    model.context_length = 1 << 20;
    struct load_settings longest = layer("{\"context_length\":1048576}"), back = unset;
    assert_true(resolve(&model, NULL, NULL, &longest, &s, &err));
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_doc *copy = yyjson_mut_val_imut_copy(load_settings_format(&s, doc), NULL);
    assert_true(load_settings_patch(&back, yyjson_doc_get_root(copy), &err)); /* by a worker */
    yyjson_doc_free(copy);
    yyjson_mut_doc_free(doc);
}

static void test_what_equals_the_default_is_the_default(void **state) {
    (void)state;
    struct load_settings s, same = layer("{\"context_length\":32768,\"kv_type_k\":\"f16\"}");
    struct error err;
    assert_true(resolve(&small, NULL, NULL, &unset, &s, &err));
    uint64_t plain = load_settings_hash(&s);
    assert_true(resolve(&small, NULL, NULL, &same, &s, &err));
    assert_true(load_settings_hash(&s) == plain);
}

static void test_reproducible_decides_what_moves_the_last_bits(void **state) {
    (void)state;
    const struct model_shape model = { .context_length = 4096 };
    struct load_settings s = layer(
                             "{\"reproducible\":true,\"parallel\":3,\"speculation\":\"lookup\","
                             "\"draft_model\":\"small\"}"),
                         effective;
    struct load_layers layers = { .requested = &s };
    struct error err;
    assert_true(load_plan_resolve(&model, &layers, &effective, &err));
    assert_int_equal(effective.parallel, 1);
    assert_int_equal(effective.repack, LOAD_REPACK_FIRST);
    assert_int_equal(effective.speculation, LOAD_SPECULATION_OFF);
    assert_string_equal(effective.draft_model, "");
    assert_int_equal(effective.flash_attention, 0);
    s = layer("{\"reproducible\":true,\"repack\":\"never\",\"flash_attention\":true}");
    assert_true(load_plan_resolve(&model, &layers, &effective, &err));
    assert_int_equal(effective.repack, LOAD_REPACK_NEVER);
    assert_int_equal(effective.flash_attention, 1);
    s = layer("{\"reproducible\":true,\"kv_type_v\":\"q8_0\"}"); /* which needs it */
    assert_true(load_plan_resolve(&model, &layers, &effective, &err));
    assert_int_equal(effective.flash_attention, -1);
}

/* A name says that there is one, and then how it guesses. */
static void test_what_a_draft_model_is_asked_for_has_defaults(void **state) {
    (void)state;
    struct load_settings s = layer("{\"draft_model\":\"small\"}"), plain = layer("{}"),
                         effective;
    struct load_layers layers = { .requested = &s };
    struct error err;
    assert_true(load_plan_resolve(&small, &layers, &effective, &err));
    assert_int_equal(effective.draft_tokens, LOAD_DRAFT_TOKENS);
    assert_true(effective.draft_min_probability == LOAD_DRAFT_PROBABILITY);
    layers.requested = &plain;
    assert_true(load_plan_resolve(&small, &layers, &effective, &err));
    assert_int_equal(effective.draft_tokens, 0);
    assert_true(effective.draft_min_probability == -1);
}

/* The default is the model's own length as far as the memory goes; never less than a plain one.
 */
static void test_the_default_length_fits_the_memory(void **state) {
    (void)state;
    struct load_settings s, wish = layer("{\"context_length\":32000}");
    struct error err;
    struct load_layers layers = { .budget = (nbytes)64 << 30 };
    assert_true(load_plan_resolve(&small, &layers, &s, &err));
    assert_int_equal(s.context_length, 32768);
    layers.budget = (nbytes)700 << 20;
    assert_true(load_plan_resolve(&small, &layers, &s, &err));
    assert_true(s.context_length > 8000 && s.context_length < 20000);
    assert_true(load_plan_tokens(&small, &s, layers.budget) >= s.context_length);
    assert_true(load_plan_tokens(&small, &s, layers.budget) < s.context_length + 512);
    layers.budget = (nbytes)100 << 20; /* not even the weights fit */
    assert_true(load_plan_resolve(&small, &layers, &s, &err));
    assert_int_equal(s.context_length, 4096);
    layers.for_model = &wish; /* said is said */
    assert_true(load_plan_resolve(&small, &layers, &s, &err));
    assert_int_equal(s.context_length, 32000);
}

/* An empty list takes those of the layers below away, and is the same load as never having had
 * any; the nearest list counts as a whole. */
static void test_the_nearest_list_of_adapters_counts(void **state) {
    (void)state;
    struct load_settings one, other, none, s;
    struct error err;
    yyjson_doc *docs[] = { read_adapters("{\"adapters\":[{\"path\":\"a\"}]}", &one),
                           read_adapters("{\"adapters\":[{\"path\":\"b\"}]}", &other),
                           read_adapters("{\"adapters\":[]}", &none) };
    const struct load_layers cases[] = { { NULL, &one, &unset, 0 },
                                         { NULL, &one, &other, 0 },
                                         { NULL, &one, &none, 0 },
                                         { NULL, NULL, NULL, 0 } };
    static const char *const want[] = { "a", "b", NULL, NULL };
    uint64_t hashes[4];
    for (size_t i = 0; i < 4; i++) {
        const struct load_adapters *adapters = load_plan_adapters(&cases[i]);
        assert_true(load_plan_resolve(&small, &cases[i], &s, &err));
        hashes[i] = load_settings_hash(&s);
        assert_int_equal(s.adapters.count, want[i] ? 1 : -1);
        if (!want[i]) assert_null(adapters);
        if (want[i]) assert_string_equal(adapters->list[0].path, want[i]);
        if (want[i]) assert_string_equal(s.adapters.list[0].path, want[i]);
    }
    assert_true(hashes[0] != hashes[1] && hashes[1] != hashes[2] && hashes[2] == hashes[3]);
    for (size_t i = 0; i < 3; i++) yyjson_doc_free(docs[i]);
}

static nbytes need_of(const struct model_shape *model, const char *requested) {
    struct load_settings s, now = layer(requested);
    struct error err;
    assert_true(resolve(model, NULL, NULL, &now, &s, &err));
    return load_plan_need(model, &s);
}

static void test_need_counts_adapters(void **state) {
    (void)state;
    struct model_shape adapted = small;
    adapted.adapters_size = 30 << 20;
    assert_int_equal(need_of(&adapted, "{}") - need_of(&small, "{}"), adapted.adapters_size);
}

/* Its projector, and what it computes in. */
static void test_need_counts_the_projector(void **state) {
    (void)state;
    struct model_shape vision = small;
    vision.projector_size = (nbytes)800 << 20;
    nbytes more = need_of(&vision, "{}") - need_of(&small, "{}");
    assert_int_equal(more, load_plan_vision(&vision));
    assert_true(more > vision.projector_size && more < 2 * vision.projector_size);
    assert_int_equal(load_plan_vision(&small), 0);
}

/* Its weights, its cells as f16, and what it computes in. */
static void test_need_counts_a_draft_model(void **state) {
    (void)state;
    const struct model_shape draft = { .name = "d",
                                       .size = (nbytes)100 << 20,
                                       .layers = 4,
                                       .kv_heads = 2,
                                       .key_length = 32,
                                       .value_length = 32,
                                       .embedding_length = 128 };
    struct model_shape model = small;
    model.draft = &draft;
    nbytes cell = (nbytes)4 * 2 * (32 + 32) * 2,
           packed = need_of(&model, "{\"kv_type_k\":\"q8_0\"}");
    nbytes more = need_of(&model, "{}") - need_of(&small, "{}");
    assert_int_equal(more, draft.size + cell * LOAD_FIRST_CELLS + (nbytes)512 * 128 * 8 * 4);
    assert_int_equal(packed - need_of(&small, "{\"kv_type_k\":\"q8_0\"}"), more);
    assert_true(load_plan_reload_time(&model) == load_plan_reload_time(&small) + 100);
}

/* layers x heads x (key + value) x 2 bytes x cells, as llama.cpp allocates it; as many cells as
 * the context has at first. */
static void test_need_counts_the_first_cells(void **state) {
    (void)state;
    nbytes cell = (nbytes)24 * 2 * (64 + 64) * 2;
    nbytes one = need_of(&small, "{\"context_length\":200,\"parallel\":1}");
    nbytes four = need_of(&small, "{\"context_length\":200,\"parallel\":4}");
    nbytes longer = need_of(&small, "{\"context_length\":800,\"parallel\":1}");
    nbytes packed = need_of(&small,
                            "{\"context_length\":800,\"parallel\":1,\"kv_type_k\":\"q8_0\"}");
    nbytes whole = need_of(&small, "{\"context_length\":32768,\"parallel\":4}");
    assert_int_equal(four - one, cell * 600);
    assert_int_equal(longer, four);
    assert_int_equal(longer - packed, cell / 2 * 800 * 15 / 32);
    assert_int_equal(whole - longer, cell * (LOAD_FIRST_CELLS - 800));
    struct model_shape encoder = small;
    encoder.type = MODEL_EMBEDDINGS;
    nbytes alone = need_of(&encoder, "{\"context_length\":3000,\"eval_batch_size\":512}");
    assert_int_equal(alone - one, cell * 2800); /* a whole input, however many may wait */
    assert_true(one > small.size + cell * 200);
    assert_true(one < small.size + cell * 200 + (128 << 20));
}

static void test_need_of_strange_models(void **state) {
    (void)state;
    struct model_shape unknown = { .name = "u", .size = 1000 };
    struct model_shape absurd = { .name = "a",
                                  .size = 1000,
                                  .layers = UINT32_MAX,
                                  .kv_heads = UINT32_MAX,
                                  .key_length = UINT32_MAX,
                                  .value_length = UINT32_MAX,
                                  .embedding_length = UINT32_MAX };
    assert_true(need_of(&unknown, "{}") >= 1000);
    assert_true(need_of(&unknown, "{}") < 256 << 20);
    assert_true(need_of(&absurd, "{}") == (nbytes)1 << 63);
}

static void test_reload_time(void **state) {
    (void)state;
    struct model_shape model = { .size = 0 };
    assert_int_equal(load_plan_reload_time(&model), 1);
    model.size = (nbytes)4 << 30;
    assert_int_equal(load_plan_reload_time(&model), 4096);
    model.size = UINT64_MAX;
    assert_true(load_plan_reload_time(&model) > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_nearer_layers_win),
        cmocka_unit_test(test_a_share_of_the_layers_is_a_number_of_them),
        cmocka_unit_test(test_context_longer_than_the_model),
        cmocka_unit_test(test_quantized_values_need_flash_attention),
        cmocka_unit_test(test_encoders_take_a_whole_input_in_a_batch),
        cmocka_unit_test(test_what_equals_the_default_is_the_default),
        cmocka_unit_test(test_reproducible_decides_what_moves_the_last_bits),
        cmocka_unit_test(test_what_a_draft_model_is_asked_for_has_defaults),
        cmocka_unit_test(test_the_default_length_fits_the_memory),
        cmocka_unit_test(test_the_nearest_list_of_adapters_counts),
        cmocka_unit_test(test_need_counts_adapters),
        cmocka_unit_test(test_need_counts_the_projector),
        cmocka_unit_test(test_need_counts_a_draft_model),
        cmocka_unit_test(test_need_counts_the_first_cells),
        cmocka_unit_test(test_need_of_strange_models),
        cmocka_unit_test(test_reload_time),
    };
    return cmocka_run_group_tests_name("load_plan", tests, NULL, NULL);
}
