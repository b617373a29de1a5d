/* SPDX-License-Identifier: MIT */
/* tokenize_shim.cpp - the function of plan_shim.h that needs nothing else of the engine. */
#include <climits>
#include <exception>

#include "engine/plan_shim.h"

int32_t chat_tokenize(const struct llama_vocab *vocab, const char *text, int32_t len,
                      llama_token *tokens, int32_t max, unsigned marks) {
    try {
        return llama_tokenize(vocab, text, len, tokens, max, (marks & TOKENS_ADD_SPECIAL) != 0,
                              (marks & TOKENS_PARSE_SPECIAL) != 0);
    } catch (const std::exception &) {
        return INT32_MIN;
    }
}
