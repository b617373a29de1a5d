/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "catalog/catalog.h"
#include "catalog/matryoshka.h"

#define MODEL(k, p, q, f)                                                                      \
    {                                                                                          \
        .key = (char *)(k), .publisher = (char *)(p), .quantization = (char *)(q),             \
        .path = (char *)(f)                                                                    \
    }

static struct model models[] = {
    MODEL("broken", "local", "", "/m/Broken-00001-of-00002.gguf"),
    MODEL("gemma-2b-it", "Google", "Q8_0", "/m/Google/gemma-2b-it-GGUF/gemma-2b-it-Q8_0.gguf"),
    MODEL("gemma-2b-it@q4_0", "other", "Q4_0", "/m/other/gemma-2b-it/gemma-2b-it-Q4_0.gguf"),
    MODEL("llama-3.2-1b-instruct", "local", "F16", "/m/Llama-3.2-1B-Instruct-f16.gguf"),
    MODEL("qwen2.5-0.5b-instruct", "lmstudio-community", "Q8_0",
          "/m/lmstudio-community/Qwen2.5-0.5B-Instruct-GGUF/Qwen2.5-0.5B-Instruct-Q8_0.gguf"),
    MODEL("qwen2.5-1.5b-instruct", "lmstudio-community", "Q4_0",
          "/m/lmstudio-community/Qwen2.5-1.5B-Instruct-GGUF/Qwen2.5-1.5B-Instruct-Q4_0.gguf"),
};
static const struct catalog catalog = { models, sizeof models / sizeof models[0] };

static void test_models_that_were_trained_for_shorter_vectors(void **state) {
    (void)state;
    static const struct {
        const char *key, *name;
        bool shortens;
    } rows[] = {
        { "nomic-embed-text-v1.5", "", true },
        { "text-embedding-nomic-embed-text-v1.5@q4_k_m", "", true },
        { "nomic-embed-text-v1", "nomic-embed-text-v1", false },
        { "embed", "Qwen3 Embedding 0.6B", true },
        { "all-minilm-l6-v2", "all-MiniLM-L6-v2", false },
        { "nomic", "", false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct model model = { .key = (char *)rows[i].key,
                                     .display_name = (char *)rows[i].name };
        assert_int_equal(model_shortens_vectors(&model), rows[i].shortens);
    }
}

static void test_an_embedding_model_has_lm_studios_name_too(void **state) {
    (void)state;
    struct model embedders[] = { MODEL("embed-v1", "acme", "F16", "/m/acme/embed-v1.gguf"),
                                 MODEL("text-embedding-own", "acme", "F16", "/m/a/own.gguf"),
                                 MODEL("writer", "acme", "F16", "/m/acme/writer.gguf") };
    const struct catalog three = { embedders, 3 };
    embedders[0].type = embedders[1].type = MODEL_EMBEDDINGS;
    embedders[2].type = MODEL_LLM;
    assert_ptr_equal(catalog_find(&three, "text-embedding-embed-v1"), &embedders[0]);
    assert_ptr_equal(catalog_find(&three, "text-embedding-Embed-V1@f16"), &embedders[0]);
    assert_ptr_equal(catalog_find(&three, "text-embedding-own"), &embedders[1]);
    assert_null(catalog_find(&three, "text-embedding-writer"));
    assert_null(catalog_find(&three, "text-embedding-"));
}

static void test_names_that_are_found(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        { "qwen2.5-0.5b-instruct", "qwen2.5-0.5b-instruct" },
        { "Qwen2.5-0.5B-Instruct", "qwen2.5-0.5b-instruct" },
        { "qwen2.5-0.5b-instruct@q8_0", "qwen2.5-0.5b-instruct" },
        { "qwen2.5-0.5b-instruct@Q8_0", "qwen2.5-0.5b-instruct" },
        { "lmstudio-community/qwen2.5-0.5b-instruct", "qwen2.5-0.5b-instruct" },
        { "LMStudio-Community/Qwen2.5-0.5B-Instruct-GGUF", "qwen2.5-0.5b-instruct" },
        { "lmstudio-community/Qwen2.5-0.5B-Instruct@q8_0", "qwen2.5-0.5b-instruct" },
        { "lmstudio-community/Qwen2.5-0.5B-Instruct-GGUF/Qwen2.5-0.5B-Instruct-Q8_0.gguf",
          "qwen2.5-0.5b-instruct" },
        { "Qwen2.5-0.5B-Instruct-Q8_0.gguf", "qwen2.5-0.5b-instruct" },
        { "qwen2.5-0.5b-instruct-q8_0", "qwen2.5-0.5b-instruct" },
        { "/m/Llama-3.2-1B-Instruct-f16.gguf", "llama-3.2-1b-instruct" },
        { "gemma-2b-it", "gemma-2b-it" },
        { "gemma-2b-it@q8_0", "gemma-2b-it" },
        { "gemma-2b-it@q4_0", "gemma-2b-it@q4_0" },
        { "GEMMA-2B-IT@Q4_0", "gemma-2b-it@q4_0" },
        { "other/gemma-2b-it", "gemma-2b-it@q4_0" },
        { "google/gemma-2b-it", "gemma-2b-it" },
        { "Broken", "broken" },
        { "Broken-00001-of-00002", "broken" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct model *found = catalog_find(&catalog, cases[i][0]);
        assert_string_equal(found ? found->key : cases[i][0], cases[i][1]);
        assert_true(found && model_name_matches(found, cases[i][0]));
    }
}

static void test_jit_5_a_wrong_publisher_before_a_name_that_is_unique(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        { "google/qwen2.5-0.5b-instruct", "qwen2.5-0.5b-instruct" },
        { "Qwen/Qwen2.5-0.5B-Instruct-GGUF", "qwen2.5-0.5b-instruct" },
        { "google/qwen2.5-0.5b-instruct@Q8_0", "qwen2.5-0.5b-instruct" },
        { "nobody/gemma-2b-it", NULL }, /* there are two */
        { "nobody/gemma-2b-it@q4_0", "gemma-2b-it@q4_0" },
        { "nobody/no/broken", NULL },
        { "nobody/", NULL },
        { "nobody/qwen2.5", NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct model *found = catalog_find(&catalog, cases[i][0]);
        if (!cases[i][1] && found) fail_msg("'%s' is found", cases[i][0]);
        if (cases[i][1]) assert_string_equal(found ? found->key : cases[i][0], cases[i][1]);
    }
}

static void test_names_that_are_not_found(void **state) {
    (void)state;
    static const char *const names[] = {
        "",
        "/",
        "@",
        "qwen2.5",
        "instruct",
        "qwen2.5-0.5b-instruct@q4_0",
        "google/qwen2.5-0.5b-instruct@q4_0",
        "qwen2.5-0.5b-instruct:2",
        "5-0.5B-Instruct-Q8_0.gguf",
        ".gguf",
        "qwen2.5-0.5b-instruct\n",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (catalog_find(&catalog, names[i])) fail_msg("'%s' is found", names[i]);
    }
    const struct catalog empty = { NULL, 0 };
    assert_null(catalog_find(&empty, "x"));
}

/* A name that two models answer to means the one that can be loaded. */
static void test_what_works_comes_first(void **state) {
    (void)state;
    struct model pair[] = { MODEL("a@q8_0", "pub", "Q8_0", "/x/same.gguf"),
                            MODEL("b", "pub", "Q8_0", "/y/same.gguf") };
    pair[0].problem = (char *)"It is broken.";
    const struct catalog two = { pair, 2 };
    assert_string_equal(catalog_find(&two, "same.gguf")->key, "b");
    assert_string_equal(catalog_find(&two, "a@q8_0")->key, "a@q8_0");
}

static void assert_close(const char *name, const char *best) {
    const char *names[3];
    size_t count = catalog_close_names(&catalog, name, names);
    if (count == 0) fail_msg("nothing is close to %s", name);
    assert_string_equal(names[0], best);
}

static void test_close_names(void **state) {
    (void)state;
    assert_close("qwen2.5-0.5b-instuct", "qwen2.5-0.5b-instruct");
    assert_close("qwen-2.5-1.5b-instruct", "qwen2.5-1.5b-instruct");
    assert_close("QWEN2.5-0.5B-INSTRCUT", "qwen2.5-0.5b-instruct");
    assert_close("lmstudio/gemma-2b", "gemma-2b-it");
    assert_close("lama-3.2-1b-instruct.gguf", "llama-3.2-1b-instruct");
    assert_close("gemma", "gemma-2b-it");
    assert_close("brokne", "broken");
}

static void test_close_names_are_ordered_and_few(void **state) {
    (void)state;
    const char *names[3];
    assert_int_equal(catalog_close_names(&catalog, "qwen2.5-0.5b-instruct-1m", names), 2);
    assert_string_equal(names[0], "qwen2.5-0.5b-instruct");
    assert_string_equal(names[1], "qwen2.5-1.5b-instruct");
    assert_int_equal(catalog_close_names(&catalog, "gpt-4o", names), 0);
    assert_int_equal(catalog_close_names(&catalog, "", names), 0);
}

static void test_long_and_odd_names(void **state) {
    (void)state;
    const char *names[3];
    char *name = xcalloc(1 << 20, 1);
    memset(name, 'q', (1 << 20) - 1);
    assert_int_equal(catalog_close_names(&catalog, name, names), 0);
    assert_null(catalog_find(&catalog, name));
    free(name);
    assert_int_equal(catalog_close_names(&catalog, "\xff\x80\xfe\x01", names), 0);
}

/* The best of ten thousand is found; the sum of edits is bounded by the cheap test before. */
static void test_close_names_in_a_long_catalog(void **state) {
    (void)state;
    enum { MANY = 10000 };
    struct model *many = xcalloc(MANY, sizeof *many);
    for (int i = 0; i < MANY; i++) many[i].key = xasprintf("model-%05d-instruct", i);
    const struct catalog large = { many, MANY };
    const char *names[3];
    assert_int_equal(catalog_close_names(&large, "model-07777-instrukt", names), 3);
    assert_string_equal(names[0], "model-07777-instruct");
    for (int i = 0; i < MANY; i++) free(many[i].key);
    free(many);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_models_that_were_trained_for_shorter_vectors),
        cmocka_unit_test(test_an_embedding_model_has_lm_studios_name_too),
        cmocka_unit_test(test_names_that_are_found),
        cmocka_unit_test(test_jit_5_a_wrong_publisher_before_a_name_that_is_unique),
        cmocka_unit_test(test_names_that_are_not_found),
        cmocka_unit_test(test_what_works_comes_first),
        cmocka_unit_test(test_close_names),
        cmocka_unit_test(test_close_names_are_ordered_and_few),
        cmocka_unit_test(test_long_and_odd_names),
        cmocka_unit_test(test_close_names_in_a_long_catalog),
    };
    return cmocka_run_group_tests_name("catalog_find", tests, NULL, NULL);
}
