/* SPDX-License-Identifier: MIT */
#include "supervisor/draft_model.h"

#include <string.h>

#include "cmocka_prelude.h"

#define MODEL(name) .key = (name), .path = "/m/" name ".gguf", FACTS
#define FACTS .publisher = "acme", .quantization = "Q8_0"
#define VOCABULARY(kind, count, print)                                                         \
    .tokenizer = (kind), .vocabulary = (count), .vocabulary_print = (print)

static char damaged[] = "The file is cut short.";

/* Sorted by key, as a catalog is. */
static struct model models[] = {
    { MODEL("broken"), .problem = damaged, VOCABULARY("gpt2", 1000, 7) },
    { MODEL("large"), VOCABULARY("gpt2", 1000, 7) },
    { MODEL("longer"), VOCABULARY("gpt2", 1129, 7) },
    { MODEL("other"), VOCABULARY("gpt2", 1000, 8) },
    { MODEL("shorter"), VOCABULARY("gpt2", 871, 7) },
    { MODEL("small"), VOCABULARY("gpt2", 1128, 7) },
    { MODEL("spm"), VOCABULARY("llama", 1000, 7) },
    { MODEL("vectors"), .type = MODEL_EMBEDDINGS, VOCABULARY("gpt2", 1000, 7) },
};
enum { MODELS = sizeof models / sizeof models[0], LARGE = 1, SMALL = 5, VECTORS = 7 };
static const struct catalog catalog = { models, MODELS };

static const struct model *find(const char *name) {
    const struct model *draft = NULL;
    struct error err;
    return draft_model_find(&catalog, &models[LARGE], name, &draft, &err) ? draft : NULL;
}

static void test_a_name_or_a_path_of_the_catalog(void **state) {
    (void)state;
    assert_ptr_equal(find("small"), &models[SMALL]);
    assert_ptr_equal(find("ACME/Small"), &models[SMALL]);
    assert_ptr_equal(find("/m/small.gguf"), &models[SMALL]);
}

static void expect(const struct model *model, const char *name, const char *words) {
    const struct model *draft = NULL;
    struct error err = { 0 };
    assert_false(draft_model_find(&catalog, model, name, &draft, &err));
    assert_int_equal(err.code, ERR_INVALID_REQUEST);
    assert_string_equal(err.param, "draft_model");
    if (!strstr(err.text, words)) fail_msg("\"%s\" does not say \"%s\"", err.text, words);
    assert_null(draft);
}

static void test_what_cannot_guess_is_refused_by_name(void **state) {
    (void)state;
    expect(&models[LARGE], "nothing", "no draft model 'nothing'");
    expect(&models[LARGE], "/etc/passwd", "no draft model '/etc/passwd'");
    expect(&models[LARGE], "large", "its own");
    expect(&models[LARGE], "vectors", "embedding model");
    expect(&models[LARGE], "broken", "cannot be loaded: The file is cut short.");
    expect(&models[VECTORS], "small", "writes no text");
}

/* llama.cpp's bound: 128 tokens more or less, and the same ones before them. */
static void test_vocabularies_have_to_be_the_same(void **state) {
    (void)state;
    expect(&models[LARGE], "longer", "another vocabulary than 'large'");
    expect(&models[LARGE], "shorter", "another vocabulary");
    expect(&models[LARGE], "other", "another vocabulary");
    expect(&models[LARGE], "spm", "another vocabulary");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_name_or_a_path_of_the_catalog),
        cmocka_unit_test(test_what_cannot_guess_is_refused_by_name),
        cmocka_unit_test(test_vocabularies_have_to_be_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
