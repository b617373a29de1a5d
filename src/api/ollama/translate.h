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
/* The messages of a prompt with the fields system and images. */
bool ollama_translate_prompt(struct translation *t, const char *prompt);
bool ollama_translate_tools(struct translation *t);
/* options: how tokens are chosen. What belongs to a load is left out. */
bool ollama_translate_options(struct translation *t);

#endif
