/* SPDX-License-Identifier: MIT */
/* translate.h - the parts of a Responses body: fields of t->in to those of t->out. Pure. */
#ifndef DOZE_API_RESPONSES_TRANSLATE_H
#define DOZE_API_RESPONSES_TRANSLATE_H

#include "api/dialect.h"
#include "api/translation.h"

/* As in struct dialect. */
bool responses_parse(enum service_op op, const char *body, size_t len,
                     struct parsed *ret_parsed, struct error *err);

/* max_output_tokens, which LM Studio's chat has too. */
bool responses_translate_max_tokens(struct translation *t);

/* instructions and input. */
bool responses_translate_input(struct translation *t);

/* tools, tool_choice and parallel_tool_calls. Tools that OpenAI runs itself are left out. */
bool responses_translate_tools(struct translation *t);

/* Of the request's tools, those in namespaces included: the one with this name, and in
 * *ret_space the name of its namespace, NULL if it has none. NULL if there is no such tool. */
yyjson_mut_val *responses_find_tool(yyjson_mut_val *tools, const char *name,
                                    const char **ret_space);

#endif
