/* SPDX-License-Identifier: MIT */
#include "engine/tokens.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

void tokens_clear(struct tokens *tokens) {
    free(tokens->data);
    *tokens = (struct tokens){ 0 };
}

static void reserve(struct tokens *tokens, size_t more) {
    size_t need = tokens->count + more;
    if (need <= tokens->cap) return;
    size_t cap = tokens->cap ? tokens->cap : 64;
    while (cap < need) cap *= 2;
    tokens->data = xrealloc(tokens->data, cap * sizeof *tokens->data);
    tokens->cap = cap;
}

void tokens_add(struct tokens *tokens, llama_token token) {
    tokens_append(tokens, &token, 1);
}

void tokens_append(struct tokens *tokens, const llama_token *data, size_t count) {
    if (count == 0) return;
    reserve(tokens, count);
    memcpy(tokens->data + tokens->count, data, count * sizeof *data);
    tokens->count += count;
}

void tokens_cut(struct tokens *tokens, size_t count) {
    assert(count <= tokens->count);
    tokens->count = count;
}

bool tokens_from_text(struct tokens *tokens, const struct llama_vocab *vocab, const char *text,
                      size_t len, unsigned marks, struct error *err) {
    /* One token per byte and two special ones is the most there can be, nearly always. */
    int32_t room = len < INT_MAX - 16 ? (int32_t)len + 16 : 0;
    for (int attempt = 0; attempt < 2 && room > 0; attempt++) {
        reserve(tokens, (size_t)room);
        int32_t n = chat_tokenize(vocab, text, (int32_t)len, tokens->data + tokens->count, room,
                                  marks);
        if (n >= 0) {
            tokens->count += (size_t)n;
            return true;
        }
        room = n == INT32_MIN ? 0 : -n;
    }
    return error_set(err, ERR_INVALID_REQUEST, "The text cannot be turned into tokens.");
}

void tokens_piece(struct buf *out, const struct llama_vocab *vocab, llama_token token,
                  bool control) {
    int32_t room = 64;
    for (int attempt = 0; attempt < 2; attempt++) {
        char *to = buf_reserve(out, (size_t)room);
        if (!to) return;
        int32_t n = llama_token_to_piece(vocab, token, to, room, 0, control);
        if (n >= 0) {
            out->len += (size_t)n;
            out->data[out->len] = '\0';
            return;
        }
        room = -n;
    }
    out->data[out->len] = '\0';
}
