/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include <string.h>

#include "base/json.h"
#include "supervisor/model_aliases.h"

static bool patch(struct model_aliases *aliases, const char *text, struct error *err) {
    yyjson_doc *doc = json_parse(text, strlen(text), err);
    assert_non_null(doc);
    bool ok = model_aliases_patch(aliases, yyjson_doc_get_root(doc), err);
    yyjson_doc_free(doc);
    return ok;
}

static void expect(const struct model_aliases *aliases, const char *name, const char *target) {
    const char *found = model_aliases_find(aliases, name);
    if (target)
        assert_string_equal(found, target);
    else
        assert_null(found);
}

static void test_a_star_stands_for_any_text(void **state) {
    (void)state;
    struct model_aliases aliases = { 0 };
    struct error err;
    assert_true(patch(&aliases, "{\"gpt-*\":\"a\",\"*-mini-*b\":\"b\",\"exact\":\"c\"}", &err));
    expect(&aliases, "gpt-", "a");
    expect(&aliases, "GPT-4o", "a");
    expect(&aliases, "xgpt-4o", NULL);
    expect(&aliases, "x-mini-8b", "b");
    expect(&aliases, "x-mini-x-mini-b", "b");
    expect(&aliases, "x-mini-8bx", NULL);
    expect(&aliases, "exact", "c");
    expect(&aliases, "exactly", NULL);
    expect(&aliases, "", NULL);
    model_aliases_clear(&aliases);
}

/* Matching takes the time of both lengths multiplied, and a name may have megabytes. */
static void test_no_pattern_fits_a_name_without_end(void **state) {
    (void)state;
    struct model_aliases aliases = { 0 };
    struct error err;
    char name[MODEL_ALIAS_NAME_MAX + 2] = "";
    memset(name, 'a', sizeof name - 1);
    assert_true(patch(&aliases, "{\"*\":\"a\"}", &err));
    expect(&aliases, name, NULL);
    name[MODEL_ALIAS_NAME_MAX] = '\0';
    expect(&aliases, name, "a");
    model_aliases_clear(&aliases);
}

static void test_the_longest_pattern_wins(void **state) {
    (void)state;
    struct model_aliases aliases = { 0 };
    struct error err;
    assert_true(patch(&aliases, "{\"*\":\"a\",\"gpt-4*\":\"b\",\"gpt-*\":\"c\"}", &err));
    expect(&aliases, "gpt-4o", "b");
    expect(&aliases, "gpt-5", "c");
    expect(&aliases, "other", "a");
    model_aliases_clear(&aliases);
}

static void test_a_patch_replaces_and_removes(void **state) {
    (void)state;
    struct model_aliases aliases = { 0 };
    struct error err;
    assert_true(patch(&aliases, "{\"a\":\"x\",\"b\":\"y\"}", &err));
    assert_true(patch(&aliases, "{\"a\":\"z\",\"b\":null,\"none\":null}", &err));
    assert_int_equal(aliases.count, 1);
    expect(&aliases, "a", "z");
    expect(&aliases, "b", NULL);
    model_aliases_clear(&aliases);
}

static void test_what_is_no_name_is_refused(void **state) {
    (void)state;
    static const char *const wrong[] = { "{\"a\":7}", "{\"a\":\"\"}", "{\"\":\"a\"}",
                                         "{\"a\":{}}" };
    struct error err;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct model_aliases aliases = { 0 };
        assert_false(patch(&aliases, wrong[i], &err));
        assert_string_equal(err.param, "model_aliases");
        model_aliases_clear(&aliases);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_star_stands_for_any_text),
        cmocka_unit_test(test_no_pattern_fits_a_name_without_end),
        cmocka_unit_test(test_the_longest_pattern_wins),
        cmocka_unit_test(test_a_patch_replaces_and_removes),
        cmocka_unit_test(test_what_is_no_name_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
