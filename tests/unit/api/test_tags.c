/* SPDX-License-Identifier: MIT */
#include "api/lmstudio_ws/tags.h"

#include "cmocka_prelude.h"

/* Said text as it is, thoughts in brackets; a tag that was found as a bar. */
static void note(void *ctx, const char *text, bool thinking) {
    struct buf *out = ctx;
    if (!*text)
        buf_add_str(out, "|");
    else
        buf_addf(out, thinking ? "[%s]" : "%s", text);
}

static void check(const char *const pieces[], const char *expected) {
    struct lmws_tags tags;
    struct buf out = BUF_INIT(4096);
    lmws_tags_init(&tags, "<think>", "</think>");
    for (size_t i = 0; pieces[i]; i++) lmws_tags_feed(&tags, pieces[i], note, &out);
    lmws_tags_finish(&tags, note, &out);
    assert_string_equal(buf_str(&out), expected);
    lmws_tags_clear(&tags);
    buf_clear(&out);
}

static void test_thoughts_are_told_apart(void **state) {
    (void)state;
    check((const char *const[]){ "a<think>b</think>c", NULL }, "a|[b]|c");
    check((const char *const[]){ "<think>", "b", "</think>", "c", NULL }, "|[b]|c");
    check((const char *const[]){ "<think></think><think>x</think>", NULL }, "||"
                                                                            "|[x]|");
    check((const char *const[]){ "</think>", NULL }, "</think>");
}

static void test_a_tag_may_come_in_pieces(void **state) {
    (void)state;
    check((const char *const[]){ "a<", "th", "ink", ">b</thi", "nk>c", NULL }, "a|[b]|c");
    check((const char *const[]){ "a<<think>b", NULL }, "a<|[b]");
    check((const char *const[]){ "<<", "<think>", NULL }, "<"
                                                          "<|");
}

static void test_what_only_looks_like_a_tag_is_said(void **state) {
    (void)state;
    check((const char *const[]){ "a<thi", "s", NULL }, "a<this");
    check((const char *const[]){ "a<think", NULL }, "a<think");
    check((const char *const[]){ "<think>b</thin", NULL }, "|[b][</thin]");
}

static void test_without_tags_everything_is_said(void **state) {
    (void)state;
    struct lmws_tags none = { 0 };
    struct buf out = BUF_INIT(4096);
    lmws_tags_feed(&none, "<think>b", note, &out);
    lmws_tags_finish(&none, note, &out);
    assert_string_equal(buf_str(&out), "<think>b");
    lmws_tags_clear(&none);
    buf_clear(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_thoughts_are_told_apart),
        cmocka_unit_test(test_a_tag_may_come_in_pieces),
        cmocka_unit_test(test_what_only_looks_like_a_tag_is_said),
        cmocka_unit_test(test_without_tags_everything_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
