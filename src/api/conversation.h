/* SPDX-License-Identifier: MIT */
/*
 * conversation.h - builds the neutral messages of a chat from other forms of a conversation.
 * Pure.
 *
 * The rules are those that most chat templates enforce: one system message, at the beginning;
 * roles that alternate, so that neighbouring texts of the user become one message; results
 * right behind the calls they belong to.
 */
#ifndef DOZE_API_CONVERSATION_H
#define DOZE_API_CONVERSATION_H

#include <stddef.h>
#include <yyjson.h>

#include "api/translation.h"
#include "base/buf.h"

/* What stands in a tool's result for an image: templates know results as text. */
#define CONVERSATION_IMAGE                                                                     \
    "[The image in this result is left out: the model gets results as text only.]"

struct conversation {
    yyjson_mut_doc *doc;
    yyjson_mut_val *messages; /* the neutral array, part of doc */
};

/* The one whose messages are the translation's `out`. */
struct conversation conversation_into(const struct translation *t);

/* Append a text to others of the same message, after an empty line. "" adds nothing. */
void conversation_add_paragraph(struct buf *out, const char *text, size_t len);

/* A new message at the end, with nothing but its role, which is not copied. */
yyjson_mut_val *conversation_add(const struct conversation *c, const char *role);

/* A system text. After the first message of another role it is the user's text. Copies. */
void conversation_add_system(const struct conversation *c, const char *text, size_t len);

/* A text of the user; it goes on the user's text just before, if there is one. Copies. */
void conversation_add_user(const struct conversation *c, const char *text, size_t len);

/* The assistant's message to which a call or a text belongs: the last one, or a new one. */
yyjson_mut_val *conversation_assistant(const struct conversation *c);

/* A text of the assistant's message; goes on the text it has. Copies. */
void conversation_set_text(const struct conversation *c, yyjson_mut_val *assistant,
                           const char *text, size_t len);

/* A call of the assistant's; arguments are a JSON text. id may be NULL. Copies. */
void conversation_add_call(const struct conversation *c, yyjson_mut_val *assistant,
                           const char *id, const char *name, const char *arguments);

/* What the tool answered to a call. Copies. */
void conversation_add_result(const struct conversation *c, const char *id, const char *text,
                             size_t len);

#endif
