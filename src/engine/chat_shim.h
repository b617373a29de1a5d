/* SPDX-License-Identifier: MIT */
/*
 * chat_shim.h - parses an answer into content, reasoning and tool calls, with the parsers of
 * libllama-common. The *_shim.cpp and generic_tools.cpp are the only C++ of the project. No
 * exception leaves them: it becomes an error or a false.
 */
#ifndef DOZE_ENGINE_CHAT_SHIM_H
#define DOZE_ENGINE_CHAT_SHIM_H

#include <llama.h>
#include <stdbool.h>
#include <stddef.h>
#include <yyjson.h>

#ifdef __cplusplus
extern "C" {
#endif

#include "base/error.h"

struct chat;

/* From the "answer" of a plan (plan_shim.h). NULL: it cannot be read. */
struct chat *chat_new(yyjson_val *answer, struct error *err);
void chat_free(struct chat *chat);

/* Stop string number `index` of those that the template adds; NULL after the last. */
const char *chat_stop(const struct chat *chat, size_t index);
/* True for control tokens that the answer's parser needs to see as text. */
bool chat_keeps_token(const struct chat *chat, llama_token token);

struct chat_piece {
    const char *content, *reasoning; /* "" if nothing new */
    int call;                        /* index of a tool call, or -1 */
    const char *call_id, *call_name; /* "" except in the first piece of a call */
    const char *call_arguments;
};

/* Borrows the piece for the call. */
typedef void (*chat_piece_fn)(void *ctx, const struct chat_piece *piece);

/* Feed more of the answer's text (whole UTF-8 characters); fn gets what it adds. */
void chat_feed(struct chat *chat, const char *text, size_t len, chat_piece_fn fn, void *ctx);
/* The answer has ended. complete: the model ended it, so nothing is half-written. */
void chat_finish(struct chat *chat, bool complete, chat_piece_fn fn, void *ctx);
bool chat_has_calls(const struct chat *chat);
/* True when the answer has begun one tool call too many, which fn does not get. */
bool chat_is_over(const struct chat *chat);

#ifdef __cplusplus
}
#endif

#endif
