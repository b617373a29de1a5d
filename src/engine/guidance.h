/* SPDX-License-Identifier: MIT */
/*
 * guidance.h - llguidance: from a JSON schema to the tokens that an answer may have. The only
 * part that names it; guidance_none.c stands in where doze was built without it.
 *
 * What clients send can make the library hang or crash: call it in a preparer only
 * (preparers.h). A process has one vocabulary.
 */
#ifndef DOZE_ENGINE_GUIDANCE_H
#define DOZE_ENGINE_GUIDANCE_H

#ifdef __cplusplus
extern "C" {
#endif

#include <llama.h>
#include <stdbool.h>
#include <stddef.h>
#include <yyjson.h>

#include "base/buf.h"
#include "base/error.h"

/* Is llguidance in this build? */
bool guidance_is_there(void);

/* A vocabulary of NULL is one token for each byte: for what does not depend on the model.
 *
 * Make what all answers share of the vocabulary: takes 0.1 to 0.8 s and 16 to 86 MB, once for
 * a process and those that it forks. The other functions do it when they need it. */
void guidance_warm(const struct llama_vocab *vocab);
/* Has this process made it, rather than the one that forked it? */
bool guidance_warmed_here(void);

/* The reasoning part before the JSON of an answer. */
struct guidance_thinking {
    const char *start, *end; /* tags; NULL: there is nothing */
    bool open;               /* the template has begun with the start tag */
};

/* Append the grammar of answers that match the schema, an object, and the keywords that it
 * does not enforce, with commas between. ERR_INVALID_REQUEST: the schema cannot be used. */
bool guidance_grammar(const struct llama_vocab *vocab, yyjson_val *schema,
                      const struct guidance_thinking *thinking, struct buf *ret_grammar,
                      struct buf *ret_unenforced, struct error *err)
    __attribute__((warn_unused_result));

/* ---- one answer ---- */

struct guidance;

struct guidance *guidance_new(const struct llama_vocab *vocab, const char *grammar,
                              struct error *err);
void guidance_free(struct guidance *guidance);

/* May the answer continue with this token? One that ends an answer may come when the JSON is
 * complete. */
bool guidance_allows(struct guidance *guidance, llama_token token);
/* Continue the answer with this token, which is allowed. */
void guidance_accept(struct guidance *guidance, llama_token token);
/* The bits of all tokens that may come next (prepared.h); borrowed until the next call. NULL:
 * the grammar has become too large. */
const unsigned char *guidance_mask(struct guidance *guidance);

#ifdef __cplusplus
}
#endif

#endif
