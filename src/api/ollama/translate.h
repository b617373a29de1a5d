/* SPDX-License-Identifier: MIT */
/* translate.h - the parts of Ollama's bodies: from fields of t->in to those of t->out. Pure. */
#ifndef DOZE_API_OLLAMA_TRANSLATE_H
#define DOZE_API_OLLAMA_TRANSLATE_H

#include "api/dialect.h"
#include "api/translation.h"

/* As in struct dialect: of the endpoints with messages or inputs; of those with a prompt. */
bool ollama_parse(enum service_op op, const char *body, size_t len, struct parsed *ret_parsed,
                  struct error *err);
bool ollama_parse_prompt(enum service_op op, const char *body, size_t len,
                         struct parsed *ret_parsed, struct error *err);

/* Not empty. */
bool ollama_translate_messages(struct translation *t, yyjson_val *messages);
/* The messages of a prompt with the fields context, system and images. */
bool ollama_translate_prompt(struct translation *t, const char *prompt);
/* Append the messages of `context` to a neutral array. */
bool ollama_context_read(struct translation *t, yyjson_mut_val *list);
/* Add `context` for these messages, an array. */
void ollama_context_add(yyjson_mut_doc *doc, yyjson_mut_val *root, yyjson_mut_doc *messages);
/* logprobs and top_logprobs. */
bool ollama_translate_logprobs(struct translation *t, bool *ret_wanted);
bool ollama_translate_tools(struct translation *t);
/* options: how tokens are chosen. What belongs to a load is left out. */
bool ollama_translate_options(struct translation *t);

#endif
