/* SPDX-License-Identifier: MIT */
/* translate.h - the parts of a Messages body: from fields of t->in to those of t->out. Pure. */
#ifndef DOZE_API_ANTHROPIC_TRANSLATE_H
#define DOZE_API_ANTHROPIC_TRANSLATE_H

#include "api/dialect.h"
#include "api/translation.h"

/* As in struct dialect. */
bool anthropic_parse(enum service_op op, const char *body, size_t len,
                     struct parsed *ret_parsed, struct error *err);

/* system and messages. */
bool anthropic_translate_messages(struct translation *t);

/* tools and tool_choice. Tools that Anthropic runs itself are left out, deferred ones until a
 * tool_reference in the messages has named them. */
bool anthropic_translate_tools(struct translation *t);

#endif
