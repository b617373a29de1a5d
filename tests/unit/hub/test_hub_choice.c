/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include <stdio.h>
#include <string.h>

#include "hub/hub_choice.h"

enum { FILES_MAX = 16 };
static struct hub_file list[FILES_MAX];
static struct hub_files files;

static void there_is(const char *path, nbytes size) {
    struct hub_file *file = &list[files.count++];
    files.list = list;
    *file = (struct hub_file){ .size = size };
    (void)snprintf(file->path, sizeof file->path, "%s", path);
}

static int begin(void **state) {
    (void)state;
    files = (struct hub_files){ 0 };
    return 0;
}

/* The paths of the choice, with spaces between them; the error's sentence if there is none. */
static const char *chosen(const char *text, nbytes memory) {
    static char paths[1024];
    struct hub_name name;
    struct hub_choice choice;
    struct error err;
    assert_true(hub_name_parse(text, &name));
    if (!hub_choose(&files, &name, memory, &choice, &err)) {
        (void)snprintf(paths, sizeof paths, "%s", err.text);
        return paths;
    }
    paths[0] = '\0';
    for (size_t i = 0; i < choice.count; i++) {
        size_t len = strlen(paths);
        (void)snprintf(paths + len, sizeof paths - len, "%s%s", i ? " " : "",
                       choice.files[i]->path);
    }
    hub_choice_clear(&choice);
    return paths;
}

static void test_q4_k_m_then_q8_0_then_the_largest_that_fits(void **state) {
    (void)state;
    there_is("m-F16.gguf", 1000);
    there_is("m-Q6_K.gguf", 400);
    there_is("m-Q2_K.gguf", 100);
    assert_string_equal(chosen("a/b", 0), "m-F16.gguf");
    assert_string_equal(chosen("a/b", 1100), "m-F16.gguf");
    assert_string_equal(chosen("a/b", 1099), "m-Q6_K.gguf");
    assert_string_equal(chosen("a/b", 50), "m-Q2_K.gguf");
    there_is("m-Q8_0.gguf", 500);
    assert_string_equal(chosen("a/b", 50), "m-Q8_0.gguf");
    there_is("m-Q4_K_M.gguf", 250);
    assert_string_equal(chosen("a/b", 50), "m-Q4_K_M.gguf");
}

static void test_a_named_quantization_or_file_wins(void **state) {
    (void)state;
    there_is("m-Q4_K_M.gguf", 250);
    there_is("x/m-Q6_K.gguf", 400);
    assert_string_equal(chosen("a/b@q6_k", 0), "x/m-Q6_K.gguf");
    assert_string_equal(chosen("a/b/x/m-Q6_K.gguf", 0), "x/m-Q6_K.gguf");
    assert_string_equal(chosen("a/b@q5_0", 0),
                        "There is no quantization 'q5_0'; the repository has Q4_K_M, Q6_K.");
    assert_non_null(strstr(chosen("a/b/y.gguf", 0), "no GGUF model in 'y.gguf'"));
}

static void test_all_parts_of_a_split_model(void **state) {
    (void)state;
    there_is("m-Q4_K_M-00002-of-00002.gguf", 2);
    there_is("n-Q4_K_M-00001-of-00002.gguf", 1);
    there_is("m-Q4_K_M-00001-of-00002.gguf", 1);
    assert_string_equal(chosen("a/b", 0),
                        "m-Q4_K_M-00001-of-00002.gguf m-Q4_K_M-00002-of-00002.gguf");
    assert_string_equal(chosen("a/b/m-Q4_K_M-00002-of-00002.gguf", 0),
                        "m-Q4_K_M-00001-of-00002.gguf m-Q4_K_M-00002-of-00002.gguf");
    assert_non_null(strstr(chosen("a/b/n-Q4_K_M-00001-of-00002.gguf", 0), "no GGUF model"));
}

static void test_a_projector_comes_with_its_model(void **state) {
    (void)state;
    there_is("mmproj-m-F32.gguf", 9);
    there_is("m-Q4_K_M.gguf", 250);
    assert_string_equal(chosen("a/b", 0), "m-Q4_K_M.gguf mmproj-m-F32.gguf");
    there_is("mmproj-m-F16.gguf", 5);
    there_is("mmproj-m-Q8_0.gguf", 5);
    assert_string_equal(chosen("a/b", 0), "m-Q4_K_M.gguf mmproj-m-F16.gguf");
}

static void test_a_repository_without_a_model(void **state) {
    (void)state;
    assert_non_null(strstr(chosen("a/b", 0), "no whole GGUF model"));
    there_is("mmproj-m-F16.gguf", 5);
    assert_non_null(strstr(chosen("a/b", 0), "no whole GGUF model"));
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_q4_k_m_then_q8_0_then_the_largest_that_fits),
        TEST(test_a_named_quantization_or_file_wins),
        TEST(test_all_parts_of_a_split_model),
        TEST(test_a_projector_comes_with_its_model),
        TEST(test_a_repository_without_a_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
