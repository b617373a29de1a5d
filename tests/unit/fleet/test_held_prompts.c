/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include <string.h>

#include "base/json.h"
#include "fleet/held_prompts.h"
#include "fleet/prefix_chain.h"
#include "fleet/prefix_text.h"
#include "fleet/published.h"

enum { M = 1, N = 2 };

static void add(struct held_prompts *held, uint64_t model, uint64_t head) {
    held_prompts_add(held, (struct held_prompt){ .model = model, .head = head });
}

static void assert_heads(const struct held_prompts *held, const uint64_t *heads, size_t count) {
    assert_int_equal(held->count, count);
    for (size_t i = 0; i < count; i++) assert_int_equal(held->list[i].head, heads[i]);
}

static void test_the_newest_comes_first_and_the_oldest_goes(void **state) {
    (void)state;
    struct held_prompts held = { 0 };
    add(&held, M, 0); /* shorter than a block */
    assert_int_equal(held.count, 0);
    add(&held, M, 7);
    add(&held, N, 8);
    add(&held, M, 7); /* again */
    assert_heads(&held, (uint64_t[]){ 7, 8 }, 2);
    for (uint64_t i = 0; i < HELD_PROMPTS_MAX - 1; i++) add(&held, M, 1000 + i);
    assert_int_equal(held.count, HELD_PROMPTS_MAX);
    assert_int_equal(held.list[0].head, 1000 + HELD_PROMPTS_MAX - 2);
    assert_int_equal(held.list[HELD_PROMPTS_MAX - 1].head, 7); /* 8 was older */
    add(&held, M, 7);
    assert_int_equal(held.count, HELD_PROMPTS_MAX);
    assert_int_equal(held.list[0].head, 7);
    assert_int_equal(held.list[HELD_PROMPTS_MAX - 1].head, 1000);
}

static void test_prompts_go_with_their_model(void **state) {
    (void)state;
    struct held_prompts held = { 0 };
    add(&held, M, 7);
    add(&held, N, 8);
    add(&held, M, 9);
    held_prompts_keep(&held, (uint64_t[]){ 5, M, N }, 3);
    assert_int_equal(held.count, 3);
    held_prompts_drop(&held, N);
    assert_heads(&held, (uint64_t[]){ 9, 7 }, 2);
    held_prompts_keep(&held, (uint64_t[]){ N }, 1);
    assert_int_equal(held.count, 0);
}

/* As another node reads it. */
static size_t read_back(const char *text, uint64_t heads[HELD_PROMPTS_MAX]) {
    struct error err;
    yyjson_doc *doc = json_parse_object(text, strlen(text), &err);
    size_t count = published_read_prefixes(yyjson_doc_get_root(doc), heads);
    yyjson_doc_free(doc);
    return count;
}

static void test_what_is_published_is_read_by_another_node(void **state) {
    (void)state;
    struct held_prompts held = { 0 };
    uint64_t heads[HELD_PROMPTS_MAX];
    struct buf out = BUF_INIT(1 << 20);
    for (uint64_t i = 1; i <= HELD_PROMPTS_MAX; i++) add(&held, M, i * 0x0123456789abcdef);
    published_format_prefixes(&held, 64, &out);
    assert_int_equal(read_back(buf_str(&out), heads), HELD_PROMPTS_MAX);
    for (size_t i = 0; i < HELD_PROMPTS_MAX; i++) assert_true(heads[i] == held.list[i].head);
    buf_clear(&out);
    assert_int_equal(read_back("{\"heads\":\"AAAAAAAAAAc=\"}", heads), 1);
    assert_int_equal(heads[0], 7);
}

static void test_the_newest_4096_are_published_to_many_nodes_512(void **state) {
    (void)state;
    static const struct {
        size_t nodes, held, published;
    } cases[] = { { 1, 4097, 4096 },  { 64, 4096, 4096 }, { 65, 4096, 512 },
                  { 1000, 512, 512 }, { 1000, 511, 511 }, { 1000, 0, 0 } };
    uint64_t heads[HELD_PROMPTS_MAX];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct held_prompts held = { 0 };
        struct buf out = BUF_INIT(1 << 20);
        for (uint64_t head = 1; head <= cases[i].held; head++) add(&held, M, head);
        published_format_prefixes(&held, cases[i].nodes, &out);
        assert_int_equal(read_back(buf_str(&out), heads), cases[i].published);
        if (cases[i].held > 0) assert_int_equal(heads[0], cases[i].held); /* the newest */
        buf_clear(&out);
    }
}

static void test_what_is_not_base64_of_so_many_is_none(void **state) {
    (void)state;
    uint64_t heads[HELD_PROMPTS_MAX];
    char long_one[65536];
    assert_int_equal(read_back("{}", heads), 0);
    assert_int_equal(read_back("{\"heads\":7}", heads), 0);
    assert_int_equal(read_back("{\"heads\":\"AAAA\"}", heads), 0);
    assert_int_equal(read_back("{\"heads\":\"?\"}", heads), 0);
    (void)memset(long_one, 'A', sizeof long_one);
    (void)memcpy(long_one, "{\"heads\":\"", 10);
    (void)memcpy(long_one + 60000, "\"}", 3);
    assert_int_equal(read_back(long_one, heads), 0);
}

static void marks_of(struct prefix_marks *marks, const char *secret, const char *body) {
    struct error err;
    yyjson_doc *doc = json_parse_object(body, strlen(body), &err);
    yyjson_mut_doc *copy = yyjson_doc_mut_copy(doc, NULL);
    prefix_marks_clear(marks);
    prefix_marks_make(marks, secret, yyjson_mut_doc_get_root(copy));
    yyjson_mut_doc_free(copy);
    yyjson_doc_free(doc);
}

#define X8 "xxxxxxxx"
#define X64 X8 X8 X8 X8 X8 X8 X8 X8
#define X512 X64 X64 X64 X64 X64 X64 X64 X64
#define FIRST "{\"role\":\"user\",\"content\":\"" X512 X512 X512 "\"}"

/* The lot by which the requests of a conversation spread. */
static uint64_t lot_of(const char *body) {
    struct prefix_marks marks = { 0 };
    marks_of(&marks, "key", body);
    uint64_t lot = marks.lot;
    prefix_marks_clear(&marks);
    return lot;
}

#define SYSTEM "{\"role\":\"system\",\"content\":\"Be brief.\"}"
#define HELLO "{\"role\":\"user\",\"content\":\"Hello.\"}"
#define PARTS "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"Hello.\"}]}"
#define ANSWER "{\"role\":\"assistant\",\"content\":\"Hello you.\"}"

static void test_all_requests_of_a_conversation_have_one_lot(void **state) {
    (void)state;
    uint64_t lot = lot_of("{\"messages\":[" HELLO "]}");
    assert_true(lot != 0);
    assert_true(lot_of("{\"messages\":[" HELLO "," ANSWER "," PARTS "]}") == lot);
    assert_true(lot_of("{\"messages\":[" SYSTEM "," HELLO "]}") ==
                lot_of("{\"messages\":[" SYSTEM "," HELLO "," ANSWER "," HELLO "]}"));
    assert_true(lot_of("{\"messages\":[" SYSTEM "," HELLO "]}") != lot);
    assert_true(lot_of("{\"messages\":[" PARTS "]}") != lot_of("{\"messages\":[" ANSWER "]}"));
    assert_true(lot_of("{\"messages\":[" FIRST "," HELLO "]}") != lot);
    assert_true(lot_of("{\"messages\":[]}") == 0);
    assert_true(lot_of("{\"prompt\":\"Hello.\"}") == 0);
}

static void test_a_conversation_goes_on_with_the_same_chain(void **state) {
    (void)state;
    struct prefix_marks first = { 0 }, second = { 0 }, other = { 0 };
    marks_of(&first, "key", "{\"messages\":[" FIRST "],\"temperature\":0}");
    marks_of(&second, "key",
             "{\"temperature\":1,\"messages\":[" FIRST ",{\"role\":\"assistant\","
             "\"content\":\"" X512 X512 "\"}]}");
    assert_int_equal(first.count, 1);
    assert_int_equal(second.count, 2);
    assert_true(first.hashes[0] == second.hashes[0]);
    marks_of(&other, "key", "{\"tools\":[{\"name\":\"t\"}],\"messages\":[" FIRST "]}");
    assert_int_equal(other.count, 1);
    assert_true(other.hashes[0] != first.hashes[0]); /* tools come first in a prompt */
    marks_of(&other, "another key", "{\"messages\":[" FIRST "]}");
    assert_true(other.hashes[0] != first.hashes[0]);
    marks_of(&other, "key", "{\"prompt\":\"" X512 X512 "\"}");
    assert_int_equal(other.count, 1);
    marks_of(&other, "key", "{\"prompt\":\"short\"}");
    assert_int_equal(other.count, 0);
    prefix_marks_clear(&first);
    prefix_marks_clear(&second);
    prefix_marks_clear(&other);
}

static void test_another_model_is_another_mark(void **state) {
    (void)state;
    assert_true(prefix_mark_of(7, M) == prefix_mark_of(7, M));
    assert_true(prefix_mark_of(7, M) != prefix_mark_of(7, N));
    assert_true(prefix_mark_of(7, M) != prefix_mark_of(8, M));
}

static uint32_t match_of(const uint64_t *heads, size_t count) {
    static const uint64_t chain[] = { 50, 40, 60 };
    uint64_t sorted[4];
    for (size_t i = 0; i < count; i++) sorted[i] = heads[i];
    prefix_list_sort(sorted, count);
    return prefix_list_match(sorted, count, chain, 3);
}

static void test_the_longest_of_a_list_in_any_order_is_the_match(void **state) {
    (void)state;
    assert_int_equal(match_of((uint64_t[]){ 1, 60, 2, 40 }, 4), 3 * 256);
    assert_int_equal(match_of((uint64_t[]){ 40, 1, 50 }, 3), 2 * 256);
    assert_int_equal(match_of((uint64_t[]){ 50 }, 1), 256);
    assert_int_equal(match_of((uint64_t[]){ 1, 2 }, 2), 0);
    assert_int_equal(match_of(NULL, 0), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_newest_comes_first_and_the_oldest_goes),
        cmocka_unit_test(test_prompts_go_with_their_model),
        cmocka_unit_test(test_what_is_published_is_read_by_another_node),
        cmocka_unit_test(test_the_newest_4096_are_published_to_many_nodes_512),
        cmocka_unit_test(test_what_is_not_base64_of_so_many_is_none),
        cmocka_unit_test(test_all_requests_of_a_conversation_have_one_lot),
        cmocka_unit_test(test_a_conversation_goes_on_with_the_same_chain),
        cmocka_unit_test(test_another_model_is_another_mark),
        cmocka_unit_test(test_the_longest_of_a_list_in_any_order_is_the_match),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
