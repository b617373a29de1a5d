/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "cmocka_prelude.h"
#include "fleet/prefix_chain.h"

enum { BLOCK = PREFIX_BLOCK_BYTES };
static char text[PREFIX_CHAIN_MAX * BLOCK + 2 * BLOCK];

static void fill(void) {
    for (size_t i = 0; i < sizeof text; i++) text[i] = (char)(i * 7 + i / 251);
}

static struct prefix_chain chain_of(const char *secret, const char *model, size_t len) {
    struct prefix_chain chain;
    prefix_chain_init(&chain, secret, model);
    prefix_chain_add(&chain, text, len);
    return chain;
}

static void test_a_block_is_256_tokens_of_text_and_the_rest_has_no_hash(void **state) {
    (void)state;
    fill();
    assert_int_equal(PREFIX_BLOCK_TOKENS, 256);
    assert_int_equal(chain_of("s", "m", BLOCK - 1).count, 0);
    assert_int_equal(chain_of("s", "m", BLOCK).count, 1);
    assert_int_equal(chain_of("s", "m", 3 * BLOCK + 1).count, 3);
}

static void test_pieces_of_any_length_make_the_same_chain(void **state) {
    (void)state;
    fill();
    struct prefix_chain whole = chain_of("s", "m", 5 * BLOCK), pieces;
    for (size_t size = 1; size < 3 * BLOCK; size = size * 3 + 1) {
        prefix_chain_init(&pieces, "s", "m");
        for (size_t at = 0; at < 5 * BLOCK; at += size) {
            size_t left = 5 * BLOCK - at;
            prefix_chain_add(&pieces, text + at, left < size ? left : size);
        }
        assert_int_equal(pieces.count, 5);
        assert_memory_equal(pieces.hashes, whole.hashes, 5 * sizeof *whole.hashes);
    }
}

static void test_a_hash_stands_for_everything_up_to_there(void **state) {
    (void)state;
    fill();
    struct prefix_chain before = chain_of("s", "m", 4 * BLOCK);
    text[BLOCK + 5] ^= 1;
    struct prefix_chain after = chain_of("s", "m", 4 * BLOCK);
    assert_true(before.hashes[0] == after.hashes[0]);
    for (int i = 1; i < 4; i++) assert_true(before.hashes[i] != after.hashes[i]);
}

static void test_equal_blocks_have_different_hashes(void **state) {
    (void)state;
    memset(text, 'x', sizeof text);
    struct prefix_chain chain = chain_of("s", "m", 3 * BLOCK);
    assert_true(chain.hashes[0] != chain.hashes[1]);
    assert_true(chain.hashes[1] != chain.hashes[2]);
}

static void test_another_model_or_secret_is_another_chain(void **state) {
    (void)state;
    fill();
    struct prefix_chain a = chain_of("secret", "model", BLOCK);
    assert_true(a.hashes[0] == chain_of("secret", "model", BLOCK).hashes[0]);
    assert_true(a.hashes[0] != chain_of("secret", "other", BLOCK).hashes[0]);
    assert_true(a.hashes[0] != chain_of("other", "model", BLOCK).hashes[0]);
    assert_true(a.hashes[0] != chain_of("secretm", "odel", BLOCK).hashes[0]);
    struct prefix_chain b = chain_of("secret", "model", 2 * BLOCK);
    struct prefix_chain c = chain_of("other", "model", 2 * BLOCK);
    assert_true(b.hashes[1] != c.hashes[1]);
}

/* The same on every machine, of every byte order, and in the next release. */
static void test_the_hash_is_known(void **state) {
    (void)state;
    memset(text, 'a', sizeof text);
    struct prefix_chain chain = chain_of("secret", "model", 2 * BLOCK);
    assert_true(chain.hashes[0] == UINT64_C(0xe03c1b77f50c627f));
    assert_true(chain.hashes[1] == UINT64_C(0x49e84154e1a6a59d));
}

static void test_a_chain_ends_at_its_limit(void **state) {
    (void)state;
    fill();
    struct prefix_chain chain = chain_of("s", "m", sizeof text);
    assert_int_equal(chain.count, PREFIX_CHAIN_MAX);
    uint64_t last = chain.hashes[PREFIX_CHAIN_MAX - 1];
    prefix_chain_add(&chain, text, BLOCK);
    assert_int_equal(chain.count, PREFIX_CHAIN_MAX);
    assert_true(chain.hashes[PREFIX_CHAIN_MAX - 1] == last);
}

static struct prefix_heads *heads_new(void **state) {
    struct prefix_heads *heads = *state;
    memset(heads, 0, sizeof *heads);
    return heads;
}

static void test_match_is_the_longest_prefix_that_is_held(void **state) {
    struct prefix_heads *heads = heads_new(state);
    fill();
    struct prefix_chain chain = chain_of("s", "m", 10 * BLOCK);
    assert_int_equal(prefix_heads_match(heads, &chain), 0);
    prefix_heads_add(heads, 1234);
    assert_int_equal(prefix_heads_match(heads, &chain), 0);
    prefix_heads_add(heads, chain.hashes[2]);
    assert_int_equal(prefix_heads_match(heads, &chain), 3 * PREFIX_BLOCK_TOKENS);
    prefix_heads_add(heads, chain.hashes[9]);
    assert_int_equal(prefix_heads_match(heads, &chain), 10 * PREFIX_BLOCK_TOKENS);
    prefix_heads_remove(heads, chain.hashes[9]);
    assert_int_equal(prefix_heads_match(heads, &chain), 3 * PREFIX_BLOCK_TOKENS);
    struct prefix_chain shorter = chain_of("s", "m", 2 * BLOCK);
    assert_int_equal(prefix_heads_match(heads, &shorter), 0);
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
        cmocka_unit_test(test_a_block_is_256_tokens_of_text_and_the_rest_has_no_hash),
        cmocka_unit_test(test_pieces_of_any_length_make_the_same_chain),
        cmocka_unit_test(test_a_hash_stands_for_everything_up_to_there),
        cmocka_unit_test(test_equal_blocks_have_different_hashes),
        cmocka_unit_test(test_another_model_or_secret_is_another_chain),
        cmocka_unit_test(test_the_hash_is_known),
        cmocka_unit_test(test_a_chain_ends_at_its_limit),
        cmocka_unit_test(test_match_is_the_longest_prefix_that_is_held),
        cmocka_unit_test(test_heads_are_the_newest_4096),
        cmocka_unit_test(test_heads_are_what_was_added_and_not_removed),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
