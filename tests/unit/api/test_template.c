/* SPDX-License-Identifier: MIT */
/* A template of a prediction that is too long is refused, and neither cut nor left out. */
#include <string.h>

#include "api/lmstudio_ws/prediction_config.h"
#include "api/lmstudio_ws/template.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "cmocka_prelude.h"

enum { MOST = 1 << 20 };

static char *repeated(size_t count) {
    char *text = xcalloc(count + 1, 1);
    memset(text, 'x', count);
    return text;
}

/* A stack whose template has `count` letters where `form` has "%s". Freed by the caller. */
static yyjson_doc *stack_of(const char *form, size_t count) {
    struct error err;
    struct buf json = BUF_INIT(4 << 20);
    char *text = repeated(count);
    const char *hole = strstr(form, "%s");
    buf_add_str(&json, "{\"layers\":[{\"config\":{\"fields\":["
                       "{\"key\":\"llm.prediction.promptTemplate\",\"value\":");
    buf_add(&json, form, (size_t)(hole - form));
    buf_add_str(&json, text);
    buf_add_str(&json, hole + 2);
    buf_add_str(&json, "}]}}]}");
    yyjson_doc *doc = json_parse(json.data, json.len, &err);
    assert_non_null(doc);
    free(text);
    buf_clear(&json);
    return doc;
}

static bool is_taken(const char *form, size_t count, struct error *err) {
    static const struct sampling_view unknown;
    yyjson_doc *stack = stack_of(form, count);
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *body = yyjson_mut_obj(doc);
    bool taken = lmws_prediction_config_read(yyjson_doc_get_root(stack), LMWS_CONFIG_CHAT,
                                             &unknown, doc, body, err);
    if (taken) assert_non_null(yyjson_mut_obj_get(body, "chat_template"));
    yyjson_mut_doc_free(doc);
    yyjson_doc_free(stack);
    return taken;
}

static void check(const char *form, size_t fits, size_t too_long) {
    struct error err = { 0 };
    assert_true(is_taken(form, fits, &err));
    assert_false(is_taken(form, too_long, &err));
    assert_int_equal(err.code, ERR_TOO_LARGE);
    assert_non_null(strstr(err.text, "template"));
}

static void test_jinja(void **state) {
    (void)state;
    check("{\"type\":\"jinja\",\"jinjaPromptTemplate\":{\"template\":\"%s\"}}", MOST, MOST + 1);
}

/* Jinja is written around the texts. */
static void test_texts_around_messages(void **state) {
    (void)state;
    check("{\"type\":\"manual\",\"manualPromptTemplate\":{\"beforeUser\":\"%s\"}}", MOST - 1024,
          MOST);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jinja),
        cmocka_unit_test(test_texts_around_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
