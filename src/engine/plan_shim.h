/* SPDX-License-Identifier: MIT */
/*
 * plan_shim.h - the C interface of libllama-common's chat templates, tools and JSON schemas:
 * from a conversation to a prompt and the grammar of its answer.
 *
 * What clients send can make this code run for ever, take all memory or overflow the stack:
 * call it in a preparer only (preparers.h).
 */
#ifndef DOZE_ENGINE_PLAN_SHIM_H
#define DOZE_ENGINE_PLAN_SHIM_H

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
/* Can the text, which is not empty, be parsed as a template? False with ERR_INVALID_REQUEST. */
bool chat_templates_can_parse(const char *text, struct error *err);
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
    int continue_final_message; /* the answer continues the last message; -1: if that is
                                   the model's and it has text */
};

struct plan;

/* Can a grammar be made of the schema, for any model? False with ERR_INVALID_REQUEST. */
bool plan_shim_can_use(const char *schema, struct error *err);
/* The same of the schemas of these tools, if they are strict. */
bool plan_shim_can_call(yyjson_val *tools, struct error *err);

/* Apply the template. NULL with ERR_INVALID_REQUEST and the template's or the schema's own
 * complaint. */
struct plan *plan_new(const struct chat_templates *templates, const struct chat_input *input,
                      struct error *err);
void plan_free(struct plan *plan);

/* Borrowed, valid as long as the plan. */
const char *plan_prompt(const struct plan *plan, size_t *ret_len);

/* Add the rest of it to an object: "answer", for chat_new(); "constraint", for
 * constraint_new(), unless the answer may be anything; "notes", sentences for the log, if there
 * are any; "unenforced" and "loose", as in MSG_STARTED. */
void plan_write(const struct plan *plan, yyjson_mut_doc *doc, yyjson_mut_val *obj);

/* ---- what tokens the answer may have ---- */

struct constraint;

/* NULL with ERR_INVALID_REQUEST: the grammar cannot be read. */
struct constraint *constraint_new(const struct llama_vocab *vocab, yyjson_val *rules,
                                  struct error *err);
void constraint_free(struct constraint *constraint);

/* Continue the answer with this token. False: the grammar forbids it; nothing has changed. */
bool constraint_accept(struct constraint *constraint, llama_token token);

/* Set the bits of the tokens that may come next, in a zeroed mask (prepared.h). Where a budget
 * of reasoning is used up, that is only the next token of its ending. */
void constraint_mask(struct constraint *constraint, unsigned char *mask);

/* ---- a function of libllama that may throw ---- */

enum token_marks { TOKENS_PLAIN = 0, TOKENS_ADD_SPECIAL = 1, TOKENS_PARSE_SPECIAL = 2 };

/* Like llama_tokenize, but an exception is INT32_MIN too. marks: of enum token_marks. */
int32_t chat_tokenize(const struct llama_vocab *vocab, const char *text, int32_t len,
                      llama_token *tokens, int32_t max, unsigned marks);

/* Silence libllama-common, which logs to stderr. */
void plan_shim_quiet(void);

#ifdef __cplusplus
}
#endif

#endif
