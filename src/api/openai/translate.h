/* SPDX-License-Identifier: MIT */
/*
 * translate.h - what the readers of OpenAI bodies share: a translation from a foreign object
 * `in` to a neutral one `out` (service.h) that grows inside `doc`.
 *
 * Pure. Readers return false and fill *err at the first field that cannot be taken; what they
 * have written to `out` by then is thrown away with the document.
 */
#ifndef DOZE_API_OPENAI_TRANSLATE_H
#define DOZE_API_OPENAI_TRANSLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <yyjson.h>

#include "base/error.h"

struct openai_translation {
    yyjson_val *in;
    yyjson_mut_doc *doc;
    yyjson_mut_val *out;
    struct error *err;
};

/* The field of `in` if it is there and not null. */
yyjson_val *openai_field(const struct openai_translation *t, const char *name);

/* Copy a field of that type if it is there. */
bool openai_copy_bool(struct openai_translation *t, const char *name);
bool openai_copy_str(struct openai_translation *t, const char *name);
bool openai_copy_object(struct openai_translation *t, const char *name);

/* The same for an object nested in `in` and one nested in `out`. */
struct openai_translation openai_into(const struct openai_translation *t, yyjson_val *in,
                                      yyjson_mut_val *out);

/* "'name' must be want, not a string." Always false. */
bool openai_wrong_type(struct openai_translation *t, const char *name, const char *want);
bool openai_missing(struct openai_translation *t, const char *name, const char *want);

/* Put the place in front of an error about something inside it: param "tools[2].type". Always
 * false. */
bool openai_error_inside_item(struct error *err, const char *place, size_t index);
bool openai_error_inside(struct error *err, const char *place);

/* temperature ... logit_bias, seed, stop, max_tokens, cache_prompt, n: for chat and
 * completions. logprobs differ between the two. */
bool openai_translate_sampling(struct openai_translation *t);
bool openai_translate_chat_logprobs(struct openai_translation *t);
bool openai_translate_completion_logprobs(struct openai_translation *t);

/* messages, tools, tool_choice and the other fields only a chat has. */
bool openai_translate_chat(struct openai_translation *t);
bool openai_translate_messages(struct openai_translation *t);
bool openai_translate_tools(struct openai_translation *t);

#endif
