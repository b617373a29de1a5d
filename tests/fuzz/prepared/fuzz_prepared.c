/* SPDX-License-Identifier: MIT */
/* fuzz_prepared.c - any bytes as what a preparer says: a list that is taken has tokens of the
 * vocabulary only and, written again, is the same bytes. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/prepared.h"

enum { VOCAB = 1000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct prepared p = { .at = (const char *)data, .left = size };
    for (;;) {
        const char *before = p.at;
        int32_t *tokens = NULL;
        size_t count = 0;
        if (!prepared_take(&p, VOCAB, &tokens, &count)) break;
        for (size_t i = 0; i < count; i++) assert(tokens[i] >= 0 && tokens[i] < VOCAB);
        struct buf again = BUF_INIT(size);
        assert(prepared_add(&again, tokens, count));
        assert(again.len == (size_t)(p.at - before) &&
               memcmp(again.data, before, again.len) == 0);
        buf_clear(&again);
        free(tokens);
    }
    assert(p.at + p.left == (const char *)data + size);
    return 0;
}
