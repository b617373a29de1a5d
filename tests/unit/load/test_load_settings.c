/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include <stdlib.h>
#include <string.h>

#include "layers.h"

static const struct load_settings unset = LOAD_SETTINGS_UNSET;

static const char every_field[] =
    "{\"context_length\":8192,\"eval_batch_size\":256,\"parallel\":2,"
    "\"flash_attention\":true,\"offload_kv_cache_to_gpu\":false,\"num_experts\":4,"
    "\"chunk_size\":64,\"threads\":3,\"gpu_layers\":-1,"
    "\"gpu\":0.5,\"main_gpu\":1,\"num_cpu_experts\":3,\"tensor_split\":[3.0,1.0],"
    "\"kv_type_k\":\"q8_0\",\"kv_type_v\":\"q4_0\",\"rope_frequency_base\":10000.0,"
    "\"rope_frequency_scale\":0.5,\"repack\":\"first\",\"speculation\":\"lookup\","
    "\"draft_model\":\"small\",\"draft_tokens\":5,\"draft_min_probability\":0.25,"
    "\"mmap\":false,\"mlock\":true,"
    "\"reproducible\":true,\"prepare_seconds\":2.5,\"seed\":7}";

static const char other_field[] =
    "{\"context_length\":4096,\"eval_batch_size\":128,\"parallel\":1,"
    "\"flash_attention\":false,\"offload_kv_cache_to_gpu\":true,\"num_experts\":2,"
    "\"chunk_size\":32,\"threads\":1,\"gpu_layers\":0,"
    "\"gpu\":\"max\",\"main_gpu\":0,\"num_cpu_experts\":0,\"tensor_split\":[1.0],"
    "\"kv_type_k\":\"f16\",\"kv_type_v\":\"f32\",\"rope_frequency_base\":5.0,"
    "\"rope_frequency_scale\":1.0,\"repack\":\"never\",\"speculation\":\"off\","
    "\"draft_model\":\"tiny\",\"draft_tokens\":2,\"draft_min_probability\":0.5,"
    "\"mmap\":true,"
    "\"mlock\":false,"
    "\"reproducible\":false,\"prepare_seconds\":30.0,\"seed\":0}";

static void test_every_field_is_read(void **state) {
    (void)state;
    struct load_settings s = layer(every_field);
    assert_int_equal(s.context_length, 8192);
    assert_int_equal(s.parallel, 2);
    assert_int_equal(s.eval_batch_size, 256);
    assert_int_equal(s.num_experts, 4);
    assert_int_equal(s.threads, 3);
    assert_int_equal(s.gpu_layers, -1);
    assert_true(s.gpu == 0.5);
    assert_int_equal(s.main_gpu, 1);
    assert_int_equal(s.num_cpu_experts, 3);
    assert_true(s.tensor_split.shares[0] == 3 && s.tensor_split.shares[1] == 1);
    assert_int_equal(s.flash_attention, 1);
    assert_int_equal(s.offload_kv_cache_to_gpu, 0);
    assert_int_equal(s.kv_type_k, KV_TYPE_Q8_0);
    assert_int_equal(s.kv_type_v, KV_TYPE_Q4_0);
    assert_true(s.rope_frequency_base == 10000.0 && s.rope_frequency_scale == 0.5);
    assert_int_equal(s.repack, LOAD_REPACK_FIRST);
    assert_int_equal(s.speculation, LOAD_SPECULATION_LOOKUP);
    assert_string_equal(s.draft_model, "small");
    assert_int_equal(s.draft_tokens, 5);
    assert_true(s.draft_min_probability == 0.25);
    assert_int_equal(s.mmap, 0);
    assert_int_equal(s.mlock, 1);
    assert_int_equal(s.chunk_size, 64);
    assert_int_equal(s.seed, 7);
}

static void test_what_is_written_can_be_read(void **state) {
    (void)state;
    static const char *const texts[] = { "{}", "{\"gpu_layers\":0,\"mmap\":false}",
                                         every_field };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct load_settings said = layer(texts[i]);
        yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
        yyjson_mut_doc_set_root(doc, load_settings_format(&said, doc));
        struct buf text = BUF_INIT(4096);
        assert_true(json_write(doc, &text));
        assert_string_equal(buf_str(&text), texts[i]);
        buf_clear(&text);
        yyjson_mut_doc_free(doc);
    }
}

static void test_minus_zero_is_zero(void **state) {
    (void)state;
    struct load_settings minus, zero;
    yyjson_doc *docs[] = {
        read_adapters("{\"gpu\":-0.0,\"tensor_split\":[-0.0,1],\"draft_min_probability\":-0.0,"
                      "\"adapters\":[{\"path\":\"a\",\"scale\":-0.0}]}",
                      &minus),
        read_adapters("{\"gpu\":0,\"tensor_split\":[0,1],\"draft_min_probability\":0,"
                      "\"adapters\":[{\"path\":\"a\",\"scale\":0}]}",
                      &zero)
    };
    assert_true(load_settings_hash(&minus) == load_settings_hash(&zero));
    yyjson_doc_free(docs[0]);
    yyjson_doc_free(docs[1]);
}

static void test_null_is_not_said(void **state) {
    (void)state;
    struct load_settings s = layer("{\"context_length\":null,\"mmap\":null,\"kv_type_k\":null,"
                                   "\"gpu_layers\":null,\"rope_frequency_base\":null}");
    assert_memory_equal(&s, &unset, sizeof s);
}

static void test_what_cannot_be_is_refused_by_name(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        { "{\"context_length\":\"long\"}", "context_length" },
        { "{\"context_length\":0}", "context_length" },
        { "{\"context_length\":15}", "context_length" }, /* it became 16 without a word */
        { "{\"context_length\":-1}", "context_length" },
        { "{\"context_length\":1.5}", "context_length" },
        { "{\"context_length\":99999999999}", "context_length" },
        { "{\"parallel\":65}", "parallel" },
        { "{\"gpu_layers\":-2}", "gpu_layers" },
        { "{\"gpu\":\"some\"}", "gpu" },
        { "{\"gpu\":1.5}", "gpu" },
        { "{\"gpu\":-0.5}", "gpu" },
        { "{\"main_gpu\":16}", "main_gpu" },
        { "{\"num_cpu_experts\":-1}", "num_cpu_experts" },
        { "{\"tensor_split\":3}", "tensor_split" },
        { "{\"tensor_split\":[]}", "tensor_split" },
        { "{\"tensor_split\":[0,0]}", "tensor_split" },
        { "{\"tensor_split\":[1,-1]}", "tensor_split" },
        { "{\"tensor_split\":[1,\"1\"]}", "tensor_split" },
        { "{\"tensor_split\":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]}", "tensor_split" },
        { "{\"adapters\":\"a.gguf\"}", "adapters" },
        { "{\"adapters\":[\"a.gguf\"]}", "adapters" },
        { "{\"adapters\":[{\"scale\":1}]}", "adapters" },
        { "{\"adapters\":[{\"path\":\"\"}]}", "adapters" },
        { "{\"adapters\":[{\"path\":7}]}", "adapters" },
        { "{\"adapters\":[{\"path\":\"a\\u0000b\"}]}", "adapters" },
        { "{\"adapters\":[{\"path\":\"a\",\"scale\":\"1\"}]}", "adapters" },
        { "{\"adapters\":[{\"path\":\"a\",\"scale\":100.5}]}", "adapters" },
        { "{\"adapters\":[{\"path\":\"a\",\"scale\":-101}]}", "adapters" },
        { "{\"adapters\":[{\"path\":\"a\",\"sclae\":1}]}", "adapters" },
        { "{\"flash_attention\":1}", "flash_attention" },
        { "{\"kv_type_k\":\"q3\"}", "kv_type_k" },
        { "{\"kv_type_v\":8}", "kv_type_v" },
        { "{\"repack\":\"later\"}", "repack" },
        { "{\"repack\":true}", "repack" },
        { "{\"repack\":\"\"}", "repack" },
        { "{\"draft_model\":7}", "draft_model" },
        { "{\"draft_tokens\":0}", "draft_tokens" },
        { "{\"draft_tokens\":17}", "draft_tokens" },
        { "{\"draft_min_probability\":-0.5}", "draft_min_probability" },
        { "{\"chat_template\":\"{{ x }}\"}", "chat_template" },
        { "{\"reasoning_ending\":\"x\"}", "reasoning_ending" },
        { "{\"rope_frequency_scale\":2}", "rope_frequency_scale" },
        { "{\"contextLength\":1}", "contextLength" },
        { "{\"mmap\":true,\"no\\u0000de\":1}", "no" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct load_settings s = { .parallel = 77 };
        struct error err = { 0 };
        assert_false(parse_settings(cases[i][0], &s, &err));
        assert_int_equal(err.code, ERR_INVALID_REQUEST);
        assert_string_equal(err.param, cases[i][1]);
        assert_int_equal(s.parallel, 77); /* untouched */
    }
    struct load_settings s;
    struct error err;
    assert_false(parse_settings("[]", &s, &err));
}

static void test_a_name_outlives_its_settings(void **state) {
    (void)state;
    struct load_settings s = layer("{\"draft_model\":\"small\"}");
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *value = load_field_value(load_field_find("draft_model"), &s, doc);
    s = layer("{\"draft_model\":\"other\"}");
    assert_string_equal(yyjson_mut_get_str(value), "small");
    yyjson_mut_doc_free(doc);
}

/* A number one step past each bound is refused with the field's name; the bounds are not. */
static void test_every_bound_is_kept(void **state) {
    (void)state;
    for (size_t i = 0; load_field_at(i); i++) {
        const char *name = load_field_name(load_field_at(i));
        double min, max;
        load_field_range(load_field_at(i), &min, &max);
        if (max == 0 || (min == 0 && max == 1)) continue; /* a word or text, or a flag */
        double step = min > 0 && min < 1 ? min / 2 : 1;
        const double values[] = { min, max, min - step, max + step };
        for (size_t k = 0; k < 4; k++) {
            struct load_settings s;
            struct error err = { 0 };
            char text[128];
            snprintf(text, sizeof text, "{\"%s\":%.17g}", name, values[k]);
            assert_int_equal(parse_settings(text, &s, &err), k < 2);
            if (k >= 2) assert_string_equal(err.param, name);
        }
    }
}

/* Only this field of `all`, by way of its JSON. The document holds the texts. */
static yyjson_doc *only(const struct load_field *field, const struct load_settings *all,
                        struct load_settings *ret) {
    struct error err;
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *obj = yyjson_mut_obj(doc), *one = yyjson_mut_obj(doc);
    const char *name = load_field_name(field);
    load_settings_add(all, doc, obj);
    assert_true(load_field_is_set(field, all)); /* a new field: name it in the texts above */
    yyjson_mut_obj_add(one, yyjson_mut_str(doc, name), yyjson_mut_obj_get(obj, name));
    yyjson_doc *copy = yyjson_mut_val_imut_copy(one, NULL);
    *ret = unset;
    assert_true(load_settings_read(yyjson_doc_get_root(copy), true, ret, &err));
    yyjson_mut_doc_free(doc);
    return copy;
}

/* Each field comes back from its JSON, and alone; the upper layer wins; the hash tells. */
static void test_every_field_is_one_of_the_table(void **state) {
    (void)state;
    struct load_settings all = layer(every_field), other = layer(other_field);
    all.adapters = (struct load_adapters){ 1, { { "a.gguf", 1 } } };
    other.adapters = (struct load_adapters){ 1, { { "a.gguf", 0.5 } } };
    all.chat_template = other.reasoning_ending = "x";
    other.chat_template = all.reasoning_ending = "y";
    uint64_t plain = load_settings_hash(&unset);
    for (size_t i = 0; load_field_at(i); i++) {
        struct load_settings one, two, merged = unset;
        yyjson_doc *docs[] = { only(load_field_at(i), &all, &one),
                               only(load_field_at(i), &other, &two) };
        for (size_t k = 0; load_field_at(k); k++)
            assert_int_equal(load_field_is_set(load_field_at(k), &one), k == i);
        uint64_t hash = load_settings_hash(&one);
        assert_true(hash != plain && hash != load_settings_hash(&two));
        load_settings_merge(&merged, &two);
        load_settings_merge(&merged, &one);
        load_settings_merge(&merged, &unset);
        assert_true(load_settings_hash(&merged) == hash);
        yyjson_doc_free(docs[0]);
        yyjson_doc_free(docs[1]);
    }
}

/* The same text in another field is another load. */
static void test_texts_of_a_load_tell_instances_apart(void **state) {
    (void)state;
    struct load_settings template = unset, ending = unset;
    template.chat_template = ending.reasoning_ending = "x";
    assert_true(load_settings_hash(&template) != load_settings_hash(&ending));
}

static void test_absent_and_null_leave_a_field_as_it_is(void **state) {
    (void)state;
    static const char text[] = "{\"parallel\":null,\"other\":1,\"threads\":6}";
    struct load_settings s = layer("{\"parallel\":2,\"threads\":5,\"mmap\":false}");
    struct error err;
    yyjson_doc *doc = json_parse(text, strlen(text), &err);
    assert_true(load_settings_read(yyjson_doc_get_root(doc), false, &s, &err));
    assert_int_equal(s.parallel, 2);
    assert_int_equal(s.threads, 6);
    assert_int_equal(s.mmap, 0);
    yyjson_doc_free(doc);
}

/* 511 characters and an end. */
static void test_the_name_of_a_draft_model_has_a_longest(void **state) {
    (void)state;
    char text[LOAD_NAME_SIZE + 40];
    struct load_settings s;
    struct error err = { 0 };
    (void)snprintf(text, sizeof text, "{\"draft_model\":\"%0*d\"}", LOAD_NAME_SIZE - 1, 0);
    assert_true(parse_settings(text, &s, &err));
    assert_int_equal(strlen(s.draft_model), LOAD_NAME_SIZE - 1);
    (void)snprintf(text, sizeof text, "{\"draft_model\":\"%0*d\"}", LOAD_NAME_SIZE, 0);
    assert_false(parse_settings(text, &s, &err));
    assert_string_equal(err.param, "draft_model");
    assert_true(strstr(err.text, "511 characters") != NULL);
}

static void test_patch_changes_what_it_names(void **state) {
    (void)state;
    struct load_settings s = layer("{\"parallel\":2,\"threads\":5}");
    struct error err;
    static const char text[] = "{\"threads\":null,\"mlock\":true}";
    yyjson_doc *patch = json_parse(text, strlen(text), &err);
    assert_true(load_settings_patch(&s, yyjson_doc_get_root(patch), &err));
    assert_int_equal(s.parallel, 2);
    assert_int_equal(s.threads, 0);
    assert_int_equal(s.mlock, 1);
    yyjson_doc_free(patch);
}

static void test_a_refused_patch_changes_nothing(void **state) {
    (void)state;
    struct load_settings s = layer("{\"threads\":5}");
    struct error err;
    static const char text[] = "{\"threads\":6,\"thread\":7}";
    yyjson_doc *patch = json_parse(text, strlen(text), &err);
    assert_false(load_settings_patch(&s, yyjson_doc_get_root(patch), &err));
    assert_int_equal(s.threads, 5);
    yyjson_doc_free(patch);
}

/* What clients may read has neither of the two texts. */
static void test_texts_are_not_formatted(void **state) {
    (void)state;
    struct load_settings s = layer("{\"threads\":5}");
    s.chat_template = "{{ x }}";
    s.reasoning_ending = "x";
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *obj = load_settings_format(&s, doc);
    assert_int_equal(yyjson_mut_obj_size(obj), 1);
    yyjson_mut_doc_free(doc);
}

static void test_a_number_set_is_kept_within_its_bounds(void **state) {
    (void)state;
    struct load_settings s = LOAD_SETTINGS_UNSET;
    load_field_set_number(load_field_find("parallel"), &s, 1e9);
    assert_int_equal(s.parallel, LOAD_MAX_PARALLEL);
    load_field_set_number(load_field_find("parallel"), &s, 0); /* sets nothing */
    assert_int_equal(s.parallel, LOAD_MAX_PARALLEL);
    load_field_set_number(load_field_find("rope_frequency_scale"), &s, 7);
    assert_true(s.rope_frequency_scale == 1);
}

/* Prompts saved under other settings must not be taken up; what only changes the speed may. */
static void test_the_state_hash_tells_what_changes_a_state(void **state) {
    (void)state;
    static const char *const changes[] = { "{\"kv_type_k\":\"q8_0\"}",
                                           "{\"kv_type_v\":\"f32\"}", "{\"num_experts\":2}",
                                           "{\"rope_frequency_base\":5}",
                                           "{\"rope_frequency_scale\":0.5}" };
    static const char *const same[] = { "{\"threads\":2}", "{\"parallel\":1}", "{\"seed\":5}" };
    uint64_t plain = load_settings_state_hash(&unset);
    struct load_settings adapted = unset;
    adapted.adapters = (struct load_adapters){ 1, { { "a.gguf", 0.5 } } };
    uint64_t half = load_settings_state_hash(&adapted);
    adapted.adapters.list[0].scale = 1;
    assert_true(half != plain && load_settings_state_hash(&adapted) != half);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        struct load_settings s = layer(changes[i]);
        assert_true(load_settings_state_hash(&s) != plain);
    }
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        struct load_settings s = layer(same[i]);
        assert_true(load_settings_state_hash(&s) == plain);
    }
}

static void test_adapters_are_files_with_scales(void **state) {
    (void)state;
    static const char text[] = "{\"adapters\":[{\"path\":\"a.gguf\"},{\"path\":\"/b.gguf\","
                               "\"scale\":-0.5},{\"path\":\"c\",\"scale\":null}]}";
    struct load_settings s;
    yyjson_doc *doc = read_adapters(text, &s);
    assert_int_equal(s.adapters.count, 3);
    assert_string_equal(s.adapters.list[0].path, "a.gguf");
    assert_true(s.adapters.list[0].scale == 1 && s.adapters.list[2].scale == 1);
    assert_string_equal(s.adapters.list[1].path, "/b.gguf");
    assert_true(s.adapters.list[1].scale == -0.5);
    struct load_adapters borrowed = s.adapters;
    load_adapters_own(&s.adapters);
    yyjson_doc_free(doc);
    assert_ptr_not_equal(s.adapters.list[0].path, borrowed.list[0].path);
    assert_string_equal(s.adapters.list[2].path, "c");
    load_adapters_free(&s.adapters);
    assert_memory_equal(&s, &unset, sizeof s);
}

static void test_as_many_adapters_as_there_may_be(void **state) {
    (void)state;
    for (int count = LOAD_MAX_ADAPTERS; count <= LOAD_MAX_ADAPTERS + 1; count++) {
        struct buf text = BUF_INIT(4096);
        struct load_settings s;
        struct error err;
        buf_add_str(&text, "{\"adapters\":[{\"path\":\"a\"}");
        for (int i = 1; i < count; i++) buf_add_str(&text, ",{\"path\":\"a\"}");
        buf_add_str(&text, "]}");
        assert_int_equal(parse_settings(buf_str(&text), &s, &err), count == LOAD_MAX_ADAPTERS);
        buf_clear(&text);
    }
}

/* LM Studio's configuration has no such field: it is there when there are any. */
static void test_adapters_are_shown_if_there_are_any(void **state) {
    (void)state;
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    for (int64_t count = -1; count <= 1; count++) {
        struct load_settings s = unset;
        s.adapters = (struct load_adapters){ .count = count };
        if (count == 1) s.adapters.list[0] = (struct load_adapter){ "a.gguf", 0.5 };
        yyjson_mut_val *obj = yyjson_mut_obj(doc);
        load_settings_add_shown(&s, doc, obj);
        yyjson_mut_val *list = yyjson_mut_obj_get(obj, "adapters");
        assert_int_equal(list != NULL, count == 1);
    }
    yyjson_mut_doc_free(doc);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_field_is_read),
        cmocka_unit_test(test_what_is_written_can_be_read),
        cmocka_unit_test(test_minus_zero_is_zero),
        cmocka_unit_test(test_null_is_not_said),
        cmocka_unit_test(test_what_cannot_be_is_refused_by_name),
        cmocka_unit_test(test_a_name_outlives_its_settings),
        cmocka_unit_test(test_texts_of_a_load_tell_instances_apart),
        cmocka_unit_test(test_the_state_hash_tells_what_changes_a_state),
        cmocka_unit_test(test_every_bound_is_kept),
        cmocka_unit_test(test_every_field_is_one_of_the_table),
        cmocka_unit_test(test_absent_and_null_leave_a_field_as_it_is),
        cmocka_unit_test(test_the_name_of_a_draft_model_has_a_longest),
        cmocka_unit_test(test_patch_changes_what_it_names),
        cmocka_unit_test(test_a_refused_patch_changes_nothing),
        cmocka_unit_test(test_texts_are_not_formatted),
        cmocka_unit_test(test_a_number_set_is_kept_within_its_bounds),
        cmocka_unit_test(test_adapters_are_files_with_scales),
        cmocka_unit_test(test_as_many_adapters_as_there_may_be),
        cmocka_unit_test(test_adapters_are_shown_if_there_are_any),
    };
    return cmocka_run_group_tests_name("load_settings", tests, NULL, NULL);
}
