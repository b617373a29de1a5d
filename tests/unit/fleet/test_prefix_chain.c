/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "cmocka_prelude.h"
#include "fleet/prefix_chain.h"

enum { BLOCK = PREFIX_BLOCK_BYTES };
static char text[PREFIX_CHAIN_MAX * BLOCK + 2 * BLOCK];

static void fill(void) {
    for (size_t i = 0; i < sizeof text; i++) text[i] = (char)(i * 7 + i / 251);
}

static struct prefix_chain chain_of(const char *secret, size_t len) {
    struct prefix_chain chain;
    prefix_chain_init(&chain, secret);
    prefix_chain_add(&chain, text, len);
    return chain;
}

static void test_a_block_is_256_tokens_of_text_and_the_rest_has_no_hash(void **state) {
    (void)state;
    fill();
    assert_int_equal(PREFIX_BLOCK_TOKENS, 256);
    assert_int_equal(chain_of("s", BLOCK - 1).count, 0);
    assert_int_equal(chain_of("s", BLOCK).count, 1);
    assert_int_equal(chain_of("s", 3 * BLOCK + 1).count, 3);
}

static void test_pieces_of_any_length_make_the_same_chain(void **state) {
    (void)state;
    fill();
    struct prefix_chain whole = chain_of("s", 5 * BLOCK), pieces;
    for (size_t size = 1; size < 3 * BLOCK; size = size * 3 + 1) {
        prefix_chain_init(&pieces, "s");
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
    struct prefix_chain before = chain_of("s", 4 * BLOCK);
    text[BLOCK + 5] ^= 1;
    struct prefix_chain after = chain_of("s", 4 * BLOCK);
    assert_true(before.hashes[0] == after.hashes[0]);
    for (int i = 1; i < 4; i++) assert_true(before.hashes[i] != after.hashes[i]);
}

static void test_equal_blocks_have_different_hashes(void **state) {
    (void)state;
    memset(text, 'x', sizeof text);
    struct prefix_chain chain = chain_of("s", 3 * BLOCK);
    assert_true(chain.hashes[0] != chain.hashes[1]);
    assert_true(chain.hashes[1] != chain.hashes[2]);
}

static void test_another_secret_is_another_chain(void **state) {
    (void)state;
    fill();
    struct prefix_chain a = chain_of("secret", BLOCK);
    assert_true(a.hashes[0] == chain_of("secret", BLOCK).hashes[0]);
    assert_true(a.hashes[0] != chain_of("other", BLOCK).hashes[0]);
    struct prefix_chain b = chain_of("secret", 2 * BLOCK);
    struct prefix_chain c = chain_of("other", 2 * BLOCK);
    assert_true(b.hashes[1] != c.hashes[1]);
}

/* The same on every machine, of every byte order, and in the next release. */
static void test_the_hash_is_known(void **state) {
    (void)state;
    memset(text, 'a', sizeof text);
    struct prefix_chain chain = chain_of("secret", 2 * BLOCK);
    assert_true(chain.hashes[0] == UINT64_C(0x11a38863573d088c));
    assert_true(chain.hashes[1] == UINT64_C(0xac7cedf279988a47));
}

static void test_a_chain_ends_at_its_limit(void **state) {
    (void)state;
    fill();
    struct prefix_chain chain = chain_of("s", sizeof text);
    assert_int_equal(chain.count, PREFIX_CHAIN_MAX);
    uint64_t last = chain.hashes[PREFIX_CHAIN_MAX - 1];
    prefix_chain_add(&chain, text, BLOCK);
    assert_int_equal(chain.count, PREFIX_CHAIN_MAX);
    assert_true(chain.hashes[PREFIX_CHAIN_MAX - 1] == last);
}

static void test_match_is_the_longest_prefix_that_is_held(void **state) {
    (void)state;
    fill();
    struct prefix_chain chain = chain_of("s", 10 * BLOCK);
    const uint64_t *hashes = chain.hashes;
    uint64_t held[] = { 1234, hashes[2], hashes[9] };
    assert_int_equal(prefix_list_match(held, 0, hashes, 10), 0);
    assert_int_equal(prefix_list_match(held, 1, hashes, 10), 0);
    prefix_list_sort(held, 2);
    assert_int_equal(prefix_list_match(held, 2, hashes, 10), 3 * PREFIX_BLOCK_TOKENS);
    prefix_list_sort(held, 3);
    assert_int_equal(prefix_list_match(held, 3, hashes, 10), 10 * PREFIX_BLOCK_TOKENS);
    assert_int_equal(prefix_list_match(held, 3, hashes, 2), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_block_is_256_tokens_of_text_and_the_rest_has_no_hash),
        cmocka_unit_test(test_pieces_of_any_length_make_the_same_chain),
        cmocka_unit_test(test_a_hash_stands_for_everything_up_to_there),
        cmocka_unit_test(test_equal_blocks_have_different_hashes),
        cmocka_unit_test(test_another_secret_is_another_chain),
        cmocka_unit_test(test_the_hash_is_known),
        cmocka_unit_test(test_a_chain_ends_at_its_limit),
        cmocka_unit_test(test_match_is_the_longest_prefix_that_is_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
