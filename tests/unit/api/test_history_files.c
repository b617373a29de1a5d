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

static int in_use;

static void file_hold(void *self, const struct lmws_file *file) {
    assert_ptr_equal(file->text, self);
    in_use++;
}

static void file_release(void *self, const struct lmws_file *file) {
    assert_ptr_equal(file->text, self);
    in_use--;
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
    bool ok = lmws_history_hold(&history, err);
    assert_int_equal(in_use, 1); /* once, however often it is named */
    ok = ok && lmws_history_read(&history, out, body, err);
    lmws_history_release(&history);
    assert_int_equal(in_use, 0);
    yyjson_doc_free(read);
    yyjson_mut_doc_free(made);
    yyjson_mut_doc_free(out);
    return ok;
}

static struct lmws_host host_of(char *text) {
    return (struct lmws_host){ .self = text,
                               .file_find = file_find,
                               .file_hold = file_hold,
                               .file_release = file_release };
}

static void test_a_short_file_counts_too(void **state) {
    enum { MOST = LMWS_HISTORY_FILES_MAX / LMWS_HISTORY_FILE_MIN };
    struct error err;
    struct lmws_host host = host_of((char[]){ "a" });
    (void)state;
    assert_true(reads(&host, MOST, &err));
    assert_false(reads(&host, MOST + 1, &err));
    assert_int_equal(err.code, ERR_TOO_LARGE);
}

static void test_a_file_counts_as_often_as_it_is_named(void **state) {
    enum { LEN = 4 << 20, MOST = LMWS_HISTORY_FILES_MAX / LEN };
    struct error err;
    char *text = xcalloc(LEN + 1, 1);
    struct lmws_host host = host_of(text);
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
        cmocka_unit_test(test_a_short_file_counts_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
