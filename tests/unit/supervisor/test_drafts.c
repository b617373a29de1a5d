/* SPDX-License-Identifier: MIT */
/* Loads with a draft model, as the supervisor plans and orders them. */
#include <string.h>

#include "base/json.h"
#include "scene.h"

/* Which one the worker was told to load beside the model; NULL: none. */
static const char *told_draft(int n) {
    static char path[200];
    struct error err;
    const char *payload = puppet_heard(puppet(n), MSG_LOAD);
    yyjson_doc *doc = json_parse_object(payload, strlen(payload), &err);
    const char *told = json_find_str(yyjson_doc_get_root(doc), "draft");
    if (told) (void)snprintf(path, sizeof path, "%s", told);
    yyjson_doc_free(doc);
    return told ? path : NULL;
}

static int open_scene(void **state) {
    if (scene_open(state) != 0) return -1;
    struct scene *s = *state;
    s->models[1].path = "/nowhere/two.gguf";
    s->models[1].size = 5000;
    return 0;
}

#define DRAFTS(name) cmocka_unit_test_setup_teardown(name, open_scene, scene_close)

static struct load_request drafted(const char *model, const char *draft) {
    struct load_request request = request_for(model);
    (void)snprintf(request.settings.draft_model, LOAD_NAME_SIZE, "%s", draft);
    return request;
}

static void set(struct scene *s, const char *text) {
    struct error err;
    yyjson_doc *doc = json_parse(text, strlen(text), &err);
    assert_true(settings_patch(&s->settings, yyjson_doc_get_root(doc), &err));
    yyjson_doc_free(doc);
}

/* However it is named, the settings in effect have its key, and the worker gets its path. */
static void test_a_draft_model_is_named_by_its_key(void **state) {
    struct scene *s = *state;
    (void)load(s, drafted("one", "/nowhere/two.gguf"), &s->told[0]);
    assert_string_equal(told_draft(0), "/nowhere/two.gguf");
    assert_string_equal(instance(s)->settings->draft_model, "two");
    assert_int_equal(instance(s)->settings->draft_tokens, LOAD_DRAFT_TOKENS);
}

/* What it takes is admitted before there is a worker. */
static void test_its_memory_is_admitted_with_that_of_the_model(void **state) {
    struct scene *s = *state;
    (void)load(s, request_for("one"), &s->told[0]);
    nbytes alone = instance(s)->memory_bytes;
    say(s, 0, MSG_READY, READY);
    unload(s, "one", &s->told[1]);
    die(s, 0);
    (void)load(s, drafted("one", "two"), &s->told[2]);
    assert_int_equal(instance(s)->memory_bytes, alone + 5000);
}

static void test_what_cannot_guess_starts_no_worker(void **state) {
    struct scene *s = *state;
    static const char *const names[] = { "one", "three" };
    for (int i = 0; i < 2; i++) {
        (void)load(s, drafted("one", names[i]), &s->told[i]);
        assert_int_equal(s->told[i].errors, 1);
        assert_int_equal(s->told[i].error.code, ERR_INVALID_REQUEST);
        assert_string_equal(s->told[i].error.param, "draft_model");
    }
    assert_int_equal(puppet_count(), 0);
}

/* The other model cannot be its own, so it is loaded without. */
static void test_one_for_all_models_is_for_those_that_it_fits(void **state) {
    struct scene *s = *state;
    set(s, "{\"load\":{\"draft_model\":\"two\"}}");
    (void)load(s, request_for("two"), &s->told[0]);
    assert_null(told_draft(0));
    say(s, 0, MSG_READY, READY);
    (void)load(s, request_for("one"), &s->told[1]);
    assert_string_equal(told_draft(1), "/nowhere/two.gguf");
}

/* A model's own name for it is refused where it does not fit, and a load's goes before both. */
static void test_the_nearest_name_counts(void **state) {
    struct scene *s = *state;
    set(s,
        "{\"load\":{\"draft_model\":\"two\"},\"models\":{\"one\":{\"draft_model\":\"gone\"}}}");
    ask(s, "one", &s->told[0]);
    assert_int_equal(s->told[0].errors, 1);
    assert_non_null(strstr(s->told[0].error.text, "no draft model 'gone'"));
    (void)load(s, drafted("one", "two"), &s->told[1]);
    assert_string_equal(told_draft(0), "/nowhere/two.gguf");
}

/* Rule Failure: intent outlives the worker, and with it how it was loaded. */
static void test_a_replacement_has_the_draft_model_of_the_worker_that_died(void **state) {
    struct scene *s = *state;
    (void)load(s, drafted("one", "two"), &s->told[0]);
    say(s, 0, MSG_READY, READY);
    die(s, 0);
    ask(s, "one", &s->told[1]);
    assert_string_equal(told_draft(1), "/nowhere/two.gguf");
}

static void test_what_a_worker_reports_changes_no_draft_model(void **state) {
    struct scene *s = *state;
    (void)load(s, drafted("one", "two"), &s->told[0]);
    say(s, 0, MSG_READY,
        "{\"context_length\":512,\"parallel\":4,\"memory_bytes\":1000,"
        "\"draft_model\":\"other\"}");
    assert_string_equal(instance(s)->settings->draft_model, "two");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        DRAFTS(test_a_draft_model_is_named_by_its_key),
        DRAFTS(test_its_memory_is_admitted_with_that_of_the_model),
        DRAFTS(test_what_cannot_guess_starts_no_worker),
        DRAFTS(test_one_for_all_models_is_for_those_that_it_fits),
        DRAFTS(test_the_nearest_name_counts),
        DRAFTS(test_a_replacement_has_the_draft_model_of_the_worker_that_died),
        DRAFTS(test_what_a_worker_reports_changes_no_draft_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
