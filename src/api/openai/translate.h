/* SPDX-License-Identifier: MIT */
/* translate.h - the parts of OpenAI's bodies: from fields of t->in to those of t->out. Pure. */
#ifndef DOZE_API_OPENAI_TRANSLATE_H
#define DOZE_API_OPENAI_TRANSLATE_H

#include "api/translation.h"

/* temperature ... logit_bias, seed, stop, max_tokens, cache_prompt, n: for chat and
 * completions. logprobs differ between the two. */
bool openai_translate_sampling(struct translation *t);
bool openai_translate_chat_logprobs(struct translation *t);
bool openai_translate_completion_logprobs(struct translation *t);

/* messages, tools, tool_choice and the other fields only a chat has. */
bool openai_translate_chat(struct translation *t);
bool openai_translate_messages(struct translation *t);
bool openai_translate_tools(struct translation *t);

#endif
