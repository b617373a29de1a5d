/* SPDX-License-Identifier: MIT */
/* prompt_length.h - whether a request can fit into a context at all, by the length of its texts
 * alone: what cannot is refused before anything is loaded or tokenized. Pure. */
#ifndef DOZE_ENGINE_PROMPT_LENGTH_H
#define DOZE_ENGINE_PROMPT_LENGTH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "engine/request.h"

struct prompt_bound {
    size_t context;       /* tokens of one conversation */
    size_t longest_token; /* bytes of text that one token stands for at most; 0: no bound */
};

/* Fails with ERR_CONTEXT_LENGTH. Of a chat only the user's texts count, because a template may
 * leave out the rest. */
bool prompt_length_may_fit(const struct request *request, const struct prompt_bound *bound,
                           struct error *err);

/* The same for one text of `bytes` bytes; `what` names it: "prompt". */
bool prompt_length_text_may_fit(const struct prompt_bound *bound, size_t bytes,
                                const char *what, struct error *err);

/* Set the error that says so: `count` tokens, or at least as many, do not fit. False. */
bool prompt_length_refuse(size_t context, const char *what, bool at_least, size_t count,
                          struct error *err);

#endif
