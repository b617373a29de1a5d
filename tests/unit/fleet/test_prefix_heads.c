/* SPDX-License-Identifier: MIT */
/* The simulator's set of held prompts (tools/fleet-sim). */
#include <stdlib.h>
#include <string.h>

#include "cmocka_prelude.h"
#include "prefix_heads.h"

static struct prefix_heads *heads_new(void **state) {
    struct prefix_heads *heads = *state;
    memset(heads, 0, sizeof *heads);
    return heads;
}

static void test_match_is_the_longest_chain_that_is_held(void **state) {
    struct prefix_heads *heads = heads_new(state);
    struct prefix_chain chain = { .count = 10 };
    for (uint32_t i = 0; i < chain.count; i++) chain.hashes[i] = 100 + i;
    prefix_heads_add(heads, 1234);
    assert_int_equal(prefix_heads_match(heads, &chain), 0);
    prefix_heads_add(heads, 102);
    assert_int_equal(prefix_heads_match(heads, &chain), 3 * PREFIX_BLOCK_TOKENS);
    prefix_heads_add(heads, 109);
    assert_int_equal(prefix_heads_match(heads, &chain), 10 * PREFIX_BLOCK_TOKENS);
    prefix_heads_remove(heads, 109);
    assert_int_equal(prefix_heads_match(heads, &chain), 3 * PREFIX_BLOCK_TOKENS);
}

static void test_heads_are_the_newest_4096(void **state) {
    struct prefix_heads *heads = heads_new(state);
    uint64_t list[4];
    assert_int_equal(PREFIX_HEADS_MAX, 4096);
    for (uint64_t i = 1; i <= 4096; i++) prefix_heads_add(heads, i);
    assert_true(prefix_heads_has(heads, 1));
    prefix_heads_add(heads, 1); /* newest again */
    prefix_heads_add(heads, 5000);
    assert_int_equal(heads->count, 4096);
    assert_true(prefix_heads_has(heads, 1));
    assert_false(prefix_heads_has(heads, 2));
    assert_int_equal(prefix_heads_list(heads, list, 4), 4);
    assert_true(list[0] == 5000 && list[1] == 1 && list[2] == 4096 && list[3] == 4095);
}

/* Beside a list that is plainly right. */
struct plain {
    uint64_t hashes[PREFIX_HEADS_MAX + 1];
    uint32_t count;
};

static void plain_remove(struct plain *p, uint64_t hash) {
    for (uint32_t i = 0; i < p->count; i++) {
        if (p->hashes[i] != hash) continue;
        memmove(p->hashes + i, p->hashes + i + 1, (--p->count - i) * sizeof *p->hashes);
        return;
    }
}

static void plain_add(struct plain *p, uint64_t hash) {
    plain_remove(p, hash);
    memmove(p->hashes + 1, p->hashes, p->count * sizeof *p->hashes);
    p->hashes[0] = hash;
    if (++p->count > PREFIX_HEADS_MAX) p->count = PREFIX_HEADS_MAX;
}

static void test_heads_are_what_was_added_and_not_removed(void **state) {
    struct prefix_heads *heads = heads_new(state);
    struct plain *plain = test_calloc(1, sizeof *plain);
    uint64_t *list = test_calloc(PREFIX_HEADS_MAX + 1, sizeof *list), x = 1;
    for (int i = 0; i < 20000; i++) {
        x = x * UINT64_C(6364136223846793005) + 1442695040888963407;
        uint64_t hash = (x >> 33) % 6000 * PREFIX_HEADS_MAX / 3; /* some share a bucket */
        if (i % 4 == 3) {
            prefix_heads_remove(heads, hash);
            plain_remove(plain, hash);
        } else {
            prefix_heads_add(heads, hash);
            plain_add(plain, hash);
        }
        assert_int_equal(heads->count, plain->count);
    }
    assert_int_equal(prefix_heads_list(heads, list, PREFIX_HEADS_MAX + 1), plain->count);
    assert_memory_equal(list, plain->hashes, plain->count * sizeof *list);
    test_free(list);
    test_free(plain);
}

static int set_up(void **state) {
    *state = calloc(1, sizeof(struct prefix_heads));
    return *state ? 0 : -1;
}

static int tear_down(void **state) {
    free(*state);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_match_is_the_longest_chain_that_is_held),
        cmocka_unit_test(test_heads_are_the_newest_4096),
        cmocka_unit_test(test_heads_are_what_was_added_and_not_removed),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
