/* SPDX-License-Identifier: MIT */
/*
 * vocab.h - the vocabularies of the made models, and how they get into a file.
 *
 * A byte vocabulary (BPE without merges) tokenizes every text, one token per byte; what a model
 * says may be longer tokens, which no prompt can contain. Chat markers are control tokens.
 */
#ifndef DOZE_TOOLS_VOCAB_H
#define DOZE_TOOLS_VOCAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "gguf_file.h"

enum token_kind { TOKEN_NORMAL = 1, TOKEN_UNKNOWN = 2, TOKEN_CONTROL = 3 }; /* of llama.cpp */

enum { VOCAB_BYTES = 256 }; /* ids 0..255 of a byte vocabulary are the bytes */

struct vocab {
    char **tokens;
    int32_t *kinds;
    size_t count;
    int64_t end; /* id of the token that ends an answer; -1: none */
};

/* The bytes, <|endoftext|>, ChatML's markers, and every <|marker|> that the template (may be
 * NULL) contains. The end token is the one the template ends an assistant's turn with. */
void vocab_init_bytes(struct vocab *vocab, const char *chat_template);

/* BERT's WordPiece: special tokens, printable ASCII and pairs of letters, each at the start of
 * a word and within it. */
void vocab_init_wordpiece(struct vocab *vocab);

void vocab_clear(struct vocab *vocab);

/* The id of the token with this text; -1: none. */
int64_t vocab_find(const struct vocab *vocab, const char *text);

/* Append a token that stands for these bytes in a byte vocabulary; gives its id. The caller
 * sees to it that no token is added twice. */
size_t vocab_add_piece(struct vocab *vocab, const char *bytes, size_t len);

/* Write the vocabulary's keys into the file. */
void vocab_store_bytes(const struct vocab *vocab, struct gguf_file *file);
void vocab_store_wordpiece(const struct vocab *vocab, struct gguf_file *file);

/* Copy the tokenizer.* keys of the GGUF at path into the file; *ret_vocab gets the tokens'
 * kinds and texts. Fails if the file cannot be read or holds no vocabulary. */
bool vocab_copy(const char *path, struct gguf_file *file, struct vocab *ret_vocab,
                struct error *err);

#endif
