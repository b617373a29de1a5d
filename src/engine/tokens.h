/* SPDX-License-Identifier: MIT */
/* tokens.h - lists of tokens, and text to tokens and back with a model's vocabulary. */
#ifndef DOZE_ENGINE_TOKENS_H
#define DOZE_ENGINE_TOKENS_H

#include <llama.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "engine/plan_shim.h"

struct tokens {
    llama_token *data;
    size_t count, cap;
};

void tokens_clear(struct tokens *tokens);
void tokens_add(struct tokens *tokens, llama_token token);
void tokens_append(struct tokens *tokens, const llama_token *data, size_t count);
/* Remove all from `count` on. */
void tokens_cut(struct tokens *tokens, size_t count);

/* Append the text's tokens. marks, of enum token_marks: add BOS and EOS as the model is
 * configured; control tokens may be written out in the text. Fails with ERR_INVALID_REQUEST. */
bool tokens_from_text(struct tokens *tokens, const struct llama_vocab *vocab, const char *text,
                      size_t len, unsigned marks, struct error *err);

/* Append the token's bytes, which may be part of a character. control: those of control tokens
 * too. */
void tokens_piece(struct buf *out, const struct llama_vocab *vocab, llama_token token,
                  bool control);

#endif
