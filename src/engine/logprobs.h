/* SPDX-License-Identifier: MIT */
/*
 * logprobs.h - the probabilities of the chosen tokens and their alternatives, in a list until
 * the text they belong to is sent.
 */
#ifndef DOZE_ENGINE_LOGPROBS_H
#define DOZE_ENGINE_LOGPROBS_H

#include <llama.h>
#include <stddef.h>
#include <yyjson.h>

struct logprobs_entry {
    size_t end; /* bytes of the answer up to and with this token */
    char *json;
};

struct logprobs {
    struct logprobs_entry *entries;
    size_t count, cap;
};

void logprobs_clear(struct logprobs *list);

/* Add an entry for the chosen token. logits: as the model gave them, before any sampling. top:
 * how many of the likeliest tokens are listed too. end: see the entry. */
void logprobs_add(struct logprobs *list, const struct llama_vocab *vocab, const float *logits,
                  llama_token chosen, int top, size_t end);

/* Move the entries up to `end` into a new array of the document; NULL if there is none. */
yyjson_mut_val *logprobs_take(struct logprobs *list, size_t end, yyjson_mut_doc *doc);

#endif
