/* SPDX-License-Identifier: MIT */
/*
 * A schema is enforced with every template, and its grammar takes what the template has begun
 * the answer with, whatever kind of vocabulary cuts that into tokens.
 */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/xalloc.h"
#include "cmocka_prelude.h"
#include "engine/plan_shim.h"
#include "templates.h"

static const char schema[] = "{\"type\":\"object\",\"properties\":{\"ok\":{\"type\":"
                             "\"boolean\"}},\"required\":[\"ok\"]}";
static const char talk[] = "[{\"role\":\"user\",\"content\":\"Go\"}]";

/* The plan's constraint can be made. */
static bool can_begin(const struct plan *plan, struct error *err) {
    yyjson_mut_val *root;
    yyjson_mut_doc *written = json_object_new(&root);
    plan_write(plan, written, root);
    yyjson_doc *doc = yyjson_mut_doc_imut_copy(written, NULL);
    yyjson_val *rules = yyjson_obj_get(yyjson_doc_get_root(doc), "constraint");
    struct constraint *constraint = NULL;
    if (rules) constraint = constraint_new(templates_model.vocab, rules, err);
    if (!rules) error_set(err, ERR_INTERNAL, "The schema is not enforced.");
    if (constraint) constraint_free(constraint);
    yyjson_doc_free(doc);
    yyjson_mut_doc_free(written);
    return constraint;
}

static int failures_of(const char *vocab, const char *name, const char *jinja) {
    struct error err;
    yyjson_doc *doc = yyjson_read(talk, sizeof talk - 1, 0);
    struct chat_input input = { .messages = yyjson_doc_get_root(doc),
                                .schema = schema,
                                .chat_template = jinja,
                                .parallel_tool_calls = -1,
                                .reasoning_budget = -1,
                                .add_generation_prompt = true };
    struct plan *plan = plan_new(templates_model.templates, &input, &err);
    bool ok = plan && can_begin(plan, &err);
    if (!ok) print_error("%s, %s: %s\n", vocab, name, err.text);
    plan_free(plan);
    yyjson_doc_free(doc);
    return !ok;
}

/* Begins with a space, a newline, a word and several marks. */
static const char *const begins[] = { " ASSISTANT: ", "\\n### Response:\\n",
                                      "Answer:",      "<|im_start|>assistant\\n",
                                      "[/INST]",      " [/INST] ",
                                      "é: " };

static int failures_of_begins(const char *vocab) {
    int failures = 0;
    for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++) {
        char *jinja = xasprintf("{%% for m in messages %%}{{ m.role }}: {{ m.content }}"
                                "{%% endfor %%}{%% if add_generation_prompt %%}{{ \"%s\" }}"
                                "{%% endif %%}",
                                begins[i]);
        failures += failures_of(vocab, begins[i], jinja);
        free(jinja);
    }
    return failures;
}

/* A sanitizer makes the library's many small allocations 20 times as slow. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { STEP = 20 };
#else
enum { STEP = 1 };
#endif

static int failures_of_templates(const char *vocab) {
    int templates = 0, failures = 0;
    DIR *dir = opendir(TEMPLATES_DIR);
    assert_non_null(dir);
    for (struct dirent *d; (d = readdir(dir));) {
        if (!strstr(d->d_name, ".jinja") || templates++ % STEP != 0) continue;
        char *path = xasprintf(TEMPLATES_DIR "/%s", d->d_name), *jinja = templates_read(path);
        failures += failures_of(vocab, d->d_name, jinja);
        free(jinja);
        free(path);
    }
    closedir(dir);
    assert_true(templates > 60);
    return failures;
}

static void test_grammars_take_what_has_begun(void **state) {
    (void)state;
    static const char *const vocabs[] = { "llama-spm", "phi-3",  "gemma-4",
                                          "gpt-2",     "falcon", "llama-bpe" };
    int failures = 0;
    for (size_t i = 0; i < sizeof vocabs / sizeof vocabs[0]; i++) {
        assert_true(templates_open_vocab(vocabs[i]));
        failures += failures_of_begins(vocabs[i]) + failures_of_templates(vocabs[i]);
        model_close(&templates_model);
    }
    assert_int_equal(failures, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grammars_take_what_has_begun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
