/* SPDX-License-Identifier: MIT */
/* guidance_none.c - a build without llguidance: nobody calls more than the first of these. */

#include "engine/guidance.h"

bool guidance_is_there(void) {
    return false;
}

void guidance_warm(const struct llama_vocab *vocab) {
    (void)vocab;
}

bool guidance_warmed_here(void) {
    return false;
}

bool guidance_grammar(const struct llama_vocab *vocab, yyjson_val *schema,
                      const struct guidance_thinking *thinking, struct buf *ret_grammar,
                      struct buf *ret_unenforced, struct error *err) {
    (void)vocab, (void)schema, (void)thinking, (void)ret_grammar, (void)ret_unenforced;
    return error_set(err, ERR_NOT_SUPPORTED, "This doze was built without llguidance.");
}

struct guidance *guidance_new(const struct llama_vocab *vocab, const char *grammar,
                              struct error *err) {
    (void)vocab, (void)grammar;
    (void)error_set(err, ERR_NOT_SUPPORTED, "This doze was built without llguidance.");
    return NULL;
}

void guidance_free(struct guidance *guidance) {
    (void)guidance;
}

bool guidance_allows(struct guidance *guidance, llama_token token) {
    (void)guidance, (void)token;
    return false;
}

void guidance_accept(struct guidance *guidance, llama_token token) {
    (void)guidance, (void)token;
}

const unsigned char *guidance_mask(struct guidance *guidance) {
    (void)guidance;
    return NULL;
}
