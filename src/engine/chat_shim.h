/* SPDX-License-Identifier: MIT */
/*
 * chat_shim.h - the C face of libllama-common, whose C++ knows chat templates, tool calls,
 * reasoning tags and JSON schemas. chat_shim.cpp and measure_shim.cpp are the only C++
 * of the project. No exception leaves them: it becomes an error or a false.
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

/* ---- the templates of one model ---- */

struct chat_templates;

struct chat_caps {
    bool explicit_template; /* false: the model has none, ChatML is used */
    bool tool_use, reasoning;
};

/* override: a Jinja text used instead of the model's own, or NULL. NULL with ERR_LOAD_FAILED if
 * it cannot be parsed. The model must outlive the result. */
struct chat_templates *chat_templates_new(const struct llama_model *model, const char *override,
                                          struct error *err);
void chat_templates_free(struct chat_templates *templates);
struct chat_caps chat_templates_caps(const struct chat_templates *templates);

/* ---- one conversation to be answered ---- */

/* Everything is borrowed for the call; NULL: not given. */
struct chat_input {
    yyjson_val *messages, *tools;
    yyjson_val *kwargs;           /* chat_template_kwargs */
    const char *schema;           /* JSON; the answer has to match it */
    const char *grammar;          /* GBNF; the answer has to match it */
    const char *tool_choice;      /* "auto", "none" or "required" */
    const char *tool_name;        /* only this tool may and must be called */
    const char *chat_template;    /* Jinja, instead of the model's own */
    const char *reasoning_effort; /* a word; "none": no reasoning */
    int parallel_tool_calls;      /* -1: as the template can */
    int reasoning_budget; /* tokens of each reasoning part, then it is ended; -1: none */
    const char *reasoning_ending; /* text put before that end */
    bool add_generation_prompt;
};

struct chat;

/* Apply the template. NULL with ERR_INVALID_REQUEST and the template's, the schema's or the
 * grammar's own complaint. The templates must outlive the result. */
struct chat *chat_new(const struct chat_templates *templates, const struct chat_input *input,
                      struct error *err);
void chat_free(struct chat *chat);

/* Borrowed, valid as long as the chat. */
const char *chat_prompt(const struct chat *chat, size_t *ret_len);
/* Stop strings that the template adds; NULL from `index` on that has none. */
const char *chat_stop(const struct chat *chat, size_t index);
/* True for control tokens that the answer's parser needs to see as text. */
bool chat_keeps_token(const struct chat *chat, llama_token token);

/* ---- what tokens the answer may have ---- */

/* False: any. Then neither of the two functions below needs to be called. */
bool chat_constrains(const struct chat *chat);
/* Give tokens that are not allowed now the logit -INFINITY. Where a budget of reasoning is used
 * up, only the next token of its ending is. */
void chat_constrain(struct chat *chat, llama_token_data_array *candidates);
/* The chosen token. False: it breaks the grammar; the answer cannot go on. */
bool chat_accept(struct chat *chat, llama_token token);

/* ---- taking the answer apart ---- */

struct chat_piece {
    const char *content, *reasoning; /* "" if nothing new */
    int call;                        /* index of a tool call, or -1 */
    const char *call_id, *call_name; /* "" except in the first piece of a call */
    const char *call_arguments;
};

/* Borrows the piece for the call. */
typedef void (*chat_piece_fn)(void *ctx, const struct chat_piece *piece);

/* More of the answer's text has come (whole UTF-8 characters); give what it adds. */
void chat_feed(struct chat *chat, const char *text, size_t len, chat_piece_fn fn, void *ctx);
/* Nothing more comes. complete: the model ended by itself, so that nothing is half-written. */
void chat_finish(struct chat *chat, bool complete, chat_piece_fn fn, void *ctx);
bool chat_has_calls(const struct chat *chat);

/* ---- a function of libllama that may throw ---- */

enum token_marks { TOKENS_PLAIN = 0, TOKENS_ADD_SPECIAL = 1, TOKENS_PARSE_SPECIAL = 2 };

/* Like llama_tokenize, but an exception is INT32_MIN too. marks: of enum token_marks. */
int32_t chat_tokenize(const struct llama_vocab *vocab, const char *text, int32_t len,
                      llama_token *tokens, int32_t max, unsigned marks);

/* libllama-common logs to stderr on its own; say nothing instead. */
void chat_shim_quiet(void);

#ifdef __cplusplus
}
#endif

#endif
