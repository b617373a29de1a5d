/* SPDX-License-Identifier: MIT */
/* A short message of the SDK that names a long file many times: what it may become. */
#include <stdlib.h>
#include <string.h>

#include "api/lmstudio_ws/history.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "cmocka_prelude.h"

static bool file_find(void *self, const char *identifier, struct lmws_file *ret) {
    *ret = (struct lmws_file){ .identifier = identifier,
                               .name = "long.txt",
                               .type = "text/plain",
                               .mime = "",
                               .base64 = "",
                               .text = self };
    return true;
}

static yyjson_mut_doc *history_of(int files) {
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_val *messages = yyjson_mut_obj_add_arr(doc, root, "messages");
    yyjson_mut_val *message = yyjson_mut_arr_add_obj(doc, messages);
    yyjson_mut_obj_add_str(doc, message, "role", "user");
    yyjson_mut_val *content = yyjson_mut_obj_add_arr(doc, message, "content");
    for (int i = 0; i < files; i++) {
        yyjson_mut_val *part = yyjson_mut_arr_add_obj(doc, content);
        yyjson_mut_obj_add_str(doc, part, "type", "file");
        yyjson_mut_obj_add_str(doc, part, "identifier", "file-1");
        yyjson_mut_obj_add_str(doc, part, "name", "long.txt");
    }
    return doc;
}

static bool reads(const struct lmws_host *host, int files, struct error *err) {
    yyjson_mut_val *body;
    yyjson_mut_doc *made = history_of(files), *out = json_object_new(&body);
    yyjson_doc *read = yyjson_mut_doc_imut_copy(made, NULL);
    struct lmws_history history = { .host = host, .history = yyjson_doc_get_root(read) };
    bool ok = lmws_history_read(&history, out, body, err);
    yyjson_doc_free(read);
    yyjson_mut_doc_free(made);
    yyjson_mut_doc_free(out);
    return ok;
}

static void test_a_file_counts_as_often_as_it_is_named(void **state) {
    enum { LEN = 4 << 20, MOST = LMWS_HISTORY_FILES_MAX / LEN };
    struct error err;
    char *text = xcalloc(LEN + 1, 1);
    struct lmws_host host = { .self = text, .file_find = file_find };
    (void)state;
    memset(text, 'a', LEN);
    assert_true(reads(&host, MOST, &err));
    assert_false(reads(&host, MOST + 1, &err));
    assert_int_equal(err.code, ERR_TOO_LARGE);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_file_counts_as_often_as_it_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
