/* SPDX-License-Identifier: MIT */
/*
 * generic_tools.h - answers in the format of tool_text.h: their parser, and the grammar of
 * those that must have a call. For template_apply.cpp; throws like the library.
 */
#ifndef DOZE_ENGINE_GENERIC_TOOLS_H
#define DOZE_ENGINE_GENERIC_TOOLS_H

#include "chat.h"
#include "json.h"

extern "C" {
#include "engine/tool_text.h"
}

/* Add calls of these tools (in OpenAI's form; may be empty) to the format of answers in
 * `params`, which are of a template applied without tools. schema: of an answer that is not a
 * call; null: any text. */
void generic_tools_add(common_chat_params &params, const common_json &tools,
                       const tool_text_rules &rules, const common_json &schema);

#endif
