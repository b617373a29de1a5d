/* SPDX-License-Identifier: MIT */
/*
 * generic_tools.h - the answers of tool_text.h: how they are parsed while they come, and the
 * grammar of those that must have a call. For template_apply.cpp; throws like the library.
 */
#ifndef DOZE_ENGINE_GENERIC_TOOLS_H
#define DOZE_ENGINE_GENERIC_TOOLS_H

#include "chat.h"
#include "json.h"

extern "C" {
#include "engine/tool_text.h"
}

/* params: of a template that was applied without tools. The format of its answers becomes one
 * with calls of these tools (in OpenAI's form), which may be none. schema: of an answer that is
 * no call; null: it is any text. */
void generic_tools_add(common_chat_params &params, const common_json &tools,
                       const tool_text_rules &rules, const common_json &schema);

#endif
