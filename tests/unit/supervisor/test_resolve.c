/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include <string.h>

#include "supervisor/resolve.h"

static struct model models[] = {
    { .key = "alpha",
      .publisher = "acme",
      .path = "/m/acme/alpha-UD-Q4_K_XL.gguf",
      .quantization = "F16" },
    { .key = "beta", .publisher = "acme", .path = "/m/acme/beta.gguf", .quantization = "Q8_0" },
};
static const struct catalog catalog = { models, 2 };

static const struct named_instance instances[] = {
    { 0, "alpha", "alpha", true },
    { 3, "alpha:2", "alpha", true },
    { 5, "mine", "beta", false },
};

static bool resolve(const struct named_instance *from, size_t count, const char *name,
                    struct target *ret_target, struct error *err) {
    static struct model_alias list[] = {
        { "gpt-*", "beta" }, { "gpt-4*", "loaded" }, { "old", "gone" }, { "alpha", "beta" }
    };
    static const struct model_aliases aliases = { list, 4 };
    const struct names names = { &catalog, &aliases, from, count };
    return resolve_name(&names, name, ret_target, err);
}

static void test_jit_5_identifier_comes_before_key(void **state) {
    (void)state;
    struct target target;
    struct error err;
    assert_true(resolve(instances, 3, "alpha:2", &target, &err));
    assert_int_equal(target.slot, 3);
    assert_string_equal(target.model_key, "alpha");
    assert_true(resolve(instances, 3, "mine", &target, &err));
    assert_int_equal(target.slot, 5);
    assert_ptr_equal(target.model, &models[1]);
}

static void test_jit_5_a_key_means_any_instance_of_the_model(void **state) {
    (void)state;
    struct target target;
    struct error err;
    assert_true(resolve(instances, 3, "alpha", &target, &err));
    assert_int_equal(target.slot, LC_NO_SLOT);
    assert_true(resolve(instances, 3, "ACME/Beta", &target, &err));
    assert_int_equal(target.slot, LC_NO_SLOT);
    assert_string_equal(target.model_key, "beta");
}

/* As Ollama's clients write names: those of its listings come back. */
static void test_a_tag_is_a_quantization_or_nothing(void **state) {
    (void)state;
    struct target target;
    struct error err;
    assert_true(resolve(instances, 3, "alpha:latest", &target, &err));
    assert_int_equal(target.slot, LC_NO_SLOT);
    assert_string_equal(target.model_key, "alpha");
    assert_true(resolve(instances, 3, "mine:latest", &target, &err));
    assert_int_equal(target.slot, 5);
    assert_true(resolve(instances, 3, "beta:q8_0", &target, &err));
    assert_string_equal(target.model_key, "beta");
    assert_true(resolve(instances, 3, "hf.co/acme/Beta-GGUF:Q8_0", &target, &err));
    assert_string_equal(target.model_key, "beta");
    assert_true(resolve(instances, 3, "hf.co/acme/Alpha-GGUF:UD-Q4_K_XL", &target, &err));
    assert_string_equal(target.model_key, "alpha"); /* as its file is named */
    assert_false(resolve(instances, 3, "hf.co/acme/Alpha-GGUF:XL", &target, &err));
    assert_false(resolve(instances, 3, "beta:q4_0", &target, &err));
    assert_false(resolve(instances, 3, "alpha:3", &target, &err));
    assert_false(resolve(instances, 3, ":latest", &target, &err));
}

static void test_jit_5_unknown_name_gets_close_names(void **state) {
    (void)state;
    struct target target;
    struct error err;
    assert_false(resolve(instances, 3, "alfa", &target, &err));
    assert_int_equal(err.code, ERR_MODEL_NOT_FOUND);
    assert_non_null(strstr(err.text, "'alpha'"));
}

static void test_jit_5_missing_name_means_the_only_loaded_instance(void **state) {
    (void)state;
    struct target target;
    struct error err;
    assert_true(resolve(instances + 1, 2, NULL, &target, &err));
    assert_int_equal(target.slot, 3);
    assert_false(resolve(instances, 3, "", &target, &err));
    assert_int_equal(err.code, ERR_INVALID_REQUEST);
    assert_string_equal(err.param, "model");
    assert_false(resolve(instances + 2, 1, NULL, &target, &err));
    assert_int_equal(err.code, ERR_INVALID_REQUEST);
}

static void test_jit_5_an_alias_means_a_key_or_what_is_loaded(void **state) {
    (void)state;
    struct target target;
    struct error err;
    assert_true(resolve(instances, 3, "GPT-3.5-turbo", &target, &err));
    assert_string_equal(target.model_key, "beta");
    assert_true(resolve(instances + 1, 2, "gpt-4o", &target, &err)); /* the longer pattern */
    assert_int_equal(target.slot, 3);
    assert_false(resolve(instances, 3, "gpt-4o", &target, &err)); /* two are loaded */
    assert_int_equal(err.code, ERR_MODEL_NOT_FOUND);
    assert_non_null(strstr(err.text, "model_aliases"));
    assert_false(resolve(instances, 3, "old", &target, &err));
    assert_non_null(strstr(err.text, "'gone'"));
    assert_true(resolve(instances, 3, "alpha", &target, &err)); /* a model's own name wins */
    assert_string_equal(target.model_key, "alpha");
}

static void test_jit_5_claude_means_the_only_loaded_model(void **state) {
    (void)state;
    struct target target;
    struct error err;
    assert_true(resolve(instances + 1, 2, "claude-opus-5-5", &target, &err));
    assert_int_equal(target.slot, 3);
    assert_false(resolve(instances, 3, "claude-opus-5-5", &target, &err));
    assert_int_equal(err.code, ERR_MODEL_NOT_FOUND);
    assert_non_null(strstr(err.text, "model_aliases"));
}

static void test_an_instance_outlives_its_file(void **state) {
    (void)state;
    const struct named_instance orphan = { 1, "gone", "gone", true };
    struct target target;
    struct error err;
    assert_true(resolve(&orphan, 1, "gone", &target, &err));
    assert_null(target.model);
    assert_string_equal(target.model_key, "gone");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jit_5_identifier_comes_before_key),
        cmocka_unit_test(test_jit_5_a_key_means_any_instance_of_the_model),
        cmocka_unit_test(test_a_tag_is_a_quantization_or_nothing),
        cmocka_unit_test(test_jit_5_unknown_name_gets_close_names),
        cmocka_unit_test(test_jit_5_missing_name_means_the_only_loaded_instance),
        cmocka_unit_test(test_jit_5_an_alias_means_a_key_or_what_is_loaded),
        cmocka_unit_test(test_jit_5_claude_means_the_only_loaded_model),
        cmocka_unit_test(test_an_instance_outlives_its_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
