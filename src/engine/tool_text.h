/* SPDX-License-Identifier: MIT */
/*
 * tool_text.h - tools, their calls and results as text, for chat templates that know no tools:
 * LM Studio's default format, which its documentation shows. Pure.
 */
#ifndef DOZE_ENGINE_TOOL_TEXT_H
#define DOZE_ENGINE_TOOL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <yyjson.h>

#ifdef __cplusplus
extern "C" {
#endif

#include "base/buf.h"

#define TOOL_TEXT_CALL "[TOOL_REQUEST]"
#define TOOL_TEXT_CALL_END "[END_TOOL_REQUEST]"
#define TOOL_TEXT_RESULT "[TOOL_RESULT]"
#define TOOL_TEXT_RESULT_END "[END_TOOL_RESULT]"

/* How many calls the next answer may have, and whether it must have one. */
struct tool_text_rules {
    bool required, parallel;
};

/* Append what the model has to know: the tools (in OpenAI's form), and how to call them. */
void tool_text_describe(struct buf *out, yyjson_val *tools, struct tool_text_rules rules);

/* arguments: JSON. */
void tool_text_call(struct buf *out, const char *name, const char *arguments);
void tool_text_result(struct buf *out, const char *text, size_t len);

#ifdef __cplusplus
}
#endif

#endif
