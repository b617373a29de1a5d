/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/conversation.h"

enum { MANY = 20000 };

static size_t taken; /* bytes, never given back */

static void *take(void *ctx, size_t size) {
    (void)ctx;
    taken += size;
    return malloc(size);
}

static void *retake(void *ctx, void *bytes, size_t old_size, size_t size) {
    (void)ctx;
    (void)old_size;
    taken += size;
    return realloc(bytes, size);
}

static void give_back(void *ctx, void *bytes) {
    (void)ctx;
    free(bytes);
}

static struct conversation begin(void) {
    static const yyjson_alc alc = { take, retake, give_back, NULL };
    struct conversation c = { .doc = yyjson_mut_doc_new(&alc) };
    c.messages = yyjson_mut_arr(c.doc);
    taken = 0;
    return c;
}

static const char *content_of(const struct conversation *c, size_t at) {
    yyjson_mut_val *message = yyjson_mut_arr_get(c->messages, at);
    return yyjson_mut_get_str(yyjson_mut_obj_get(message, "content"));
}

static void test_texts_of_the_user_are_paragraphs(void **state) {
    struct conversation c = begin();
    (void)state;
    conversation_add_user(&c, "one", 3);
    conversation_add_user(&c, "", 0);
    conversation_add_user(&c, "two", 3);
    assert_int_equal(yyjson_mut_arr_size(c.messages), 1);
    assert_string_equal(content_of(&c, 0), "one\n\ntwo");
    yyjson_mut_doc_free(c.doc);
}

static void test_an_empty_text_goes_on(void **state) {
    struct conversation c = begin();
    (void)state;
    conversation_add_user(&c, "", 0);
    assert_string_equal(content_of(&c, 0), "");
    conversation_add_user(&c, "a", 1);
    assert_string_equal(content_of(&c, 0), "a");
    yyjson_mut_val *assistant = conversation_assistant(&c);
    conversation_add_call(&c, assistant, "i", "f", "{}"); /* its content is null */
    conversation_set_text(&c, assistant, "b", 1);
    assert_string_equal(content_of(&c, 1), "b");
    yyjson_mut_doc_free(c.doc);
}

/* Of every length at which the room for a text ends. */
static void test_texts_grow_whole(void **state) {
    char text[1100];
    (void)state;
    memset(text, 'x', sizeof text);
    for (size_t len = 1; len < sizeof text; len++) {
        struct conversation c = begin();
        conversation_add_user(&c, text, len);
        conversation_add_user(&c, "y", 1);
        const char *got = content_of(&c, 0);
        assert_int_equal(strlen(got), len + 3);
        assert_int_equal(strspn(got, "x"), len);
        assert_string_equal(got + len, "\n\ny");
        yyjson_mut_doc_free(c.doc);
    }
}

/* Of 16 MB of them each was once copied with all before it: terabytes. */
static void test_many_texts_cost_what_they_are_long(void **state) {
    static const char text[] = "a few words";
    const size_t len = sizeof text - 1;
    (void)state;
    for (int role = 0; role < 3; role++) {
        struct conversation c = begin();
        for (int i = 0; i < MANY; i++) {
            if (role == 0) conversation_add_user(&c, text, len);
            if (role == 1) conversation_add_system(&c, text, len);
            if (role == 2) conversation_set_text(&c, conversation_assistant(&c), text, len);
        }
        assert_int_equal(strlen(content_of(&c, 0)), MANY * (len + 2) - 2);
        assert_true(taken < 16 * MANY * len);
        yyjson_mut_doc_free(c.doc);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts_of_the_user_are_paragraphs),
        cmocka_unit_test(test_an_empty_text_goes_on),
        cmocka_unit_test(test_texts_grow_whole),
        cmocka_unit_test(test_many_texts_cost_what_they_are_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
