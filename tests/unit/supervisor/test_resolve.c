/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include <string.h>

#include "supervisor/resolve.h"

static struct model models[] = {
    { .key = "alpha", .publisher = "acme", .path = "/m/acme/alpha.gguf" },
    { .key = "beta", .publisher = "acme", .path = "/m/acme/beta.gguf" },
};
static const struct catalog catalog = { models, 2 };

static const struct named_instance instances[] = {
    { 0, "alpha", "alpha", true },
    { 3, "alpha:2", "alpha", true },
    { 5, "mine", "beta", false },
};

static void test_jit_5_identifier_comes_before_key(void **state) {
    (void)state;
    struct target target;
    struct error err;
    assert_true(resolve_name(&catalog, instances, 3, "alpha:2", &target, &err));
    assert_int_equal(target.slot, 3);
    assert_string_equal(target.model_key, "alpha");
    assert_true(resolve_name(&catalog, instances, 3, "mine", &target, &err));
    assert_int_equal(target.slot, 5);
    assert_ptr_equal(target.model, &models[1]);
}

static void test_jit_5_a_key_means_any_instance_of_the_model(void **state) {
    (void)state;
    struct target target;
    struct error err;
    assert_true(resolve_name(&catalog, instances, 3, "alpha", &target, &err));
    assert_int_equal(target.slot, LC_NO_SLOT);
    assert_true(resolve_name(&catalog, instances, 3, "ACME/Beta", &target, &err));
    assert_int_equal(target.slot, LC_NO_SLOT);
    assert_string_equal(target.model_key, "beta");
}

static void test_jit_5_unknown_name_gets_close_names(void **state) {
    (void)state;
    struct target target;
    struct error err;
    assert_false(resolve_name(&catalog, instances, 3, "alfa", &target, &err));
    assert_int_equal(err.code, ERR_MODEL_NOT_FOUND);
    assert_non_null(strstr(err.text, "'alpha'"));
}

static void test_jit_5_missing_name_means_the_only_loaded_instance(void **state) {
    (void)state;
    struct target target;
    struct error err;
    assert_true(resolve_name(&catalog, instances + 1, 2, NULL, &target, &err));
    assert_int_equal(target.slot, 3);
    assert_false(resolve_name(&catalog, instances, 3, "", &target, &err));
    assert_int_equal(err.code, ERR_INVALID_REQUEST);
    assert_string_equal(err.param, "model");
    assert_false(resolve_name(&catalog, instances + 2, 1, NULL, &target, &err));
    assert_int_equal(err.code, ERR_INVALID_REQUEST);
}

static void test_an_instance_outlives_its_file(void **state) {
    (void)state;
    const struct named_instance orphan = { 1, "gone", "gone", true };
    struct target target;
    struct error err;
    assert_true(resolve_name(&catalog, &orphan, 1, "gone", &target, &err));
    assert_null(target.model);
    assert_string_equal(target.model_key, "gone");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jit_5_identifier_comes_before_key),
        cmocka_unit_test(test_jit_5_a_key_means_any_instance_of_the_model),
        cmocka_unit_test(test_jit_5_unknown_name_gets_close_names),
        cmocka_unit_test(test_jit_5_missing_name_means_the_only_loaded_instance),
        cmocka_unit_test(test_an_instance_outlives_its_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
