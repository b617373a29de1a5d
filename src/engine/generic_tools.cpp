/* SPDX-License-Identifier: MIT */
#include "engine/generic_tools.h"

#include "chat-peg-parser.h"
#include "json-schema-to-grammar.h"

/* As the library does it for templates with thinking tags. */
static common_peg_parser thinking(common_chat_peg_builder &p,
                                  const common_chat_params &params) {
    if (params.thinking_start_tag.empty() || params.thinking_end_tags.empty()) return p.eps();
    const auto &end = params.thinking_end_tags[0];
    return p.optional(p.literal(params.thinking_start_tag) + p.space() +
                      p.reasoning(p.until(end)) + p.literal(end) + p.space());
}

static common_peg_parser calls(common_chat_peg_builder &p, const common_json &tools,
                               bool parallel) {
    auto call = p.standard_json_tools(TOOL_TEXT_CALL, TOOL_TEXT_CALL_END, tools, false, true,
                                      "name", "arguments");
    return p.trigger_rule("tool-calls",
                          parallel ? p.one_or_more(call + p.space()) : call + p.space());
}

static common_peg_parser answer(common_chat_peg_builder &p, const common_json &tools,
                                const tool_text_rules &rules, const common_json &schema) {
    auto json = p.eps(), some = p.eps();
    if (schema.is_object())
        json = p.rule("answer", p.content(p.schema(p.json(), "answer-schema", schema)));
    if (tools.empty()) return json;
    some = calls(p, tools, rules.parallel);
    if (rules.required) return p.space() + some;
    if (schema.is_object()) return p.choice({ some, json });
    return p.optional(p.content(p.until(TOOL_TEXT_CALL))) + p.optional(some);
}

void generic_tools_add(common_chat_params &params, const common_json &tools,
                       const tool_text_rules &rules, const common_json &schema) {
    const auto parser = build_chat_peg_parser([&](common_chat_peg_builder &p) {
        const auto begun = p.prefix(params.generation_prompt, params.thinking_start_tag);
        return begun + p.space() + thinking(p, params) + answer(p, tools, rules, schema) +
               p.end();
    });
    params.format = COMMON_CHAT_FORMAT_PEG_NATIVE;
    params.parser = parser.save();
    params.grammar_lazy = !rules.required && !schema.is_object();
    params.grammar = build_grammar([&](const common_grammar_builder &builder) {
        parser.build_grammar(builder, params.grammar_lazy);
    });
    params.grammar_triggers.clear();
    if (params.grammar_lazy)
        params.grammar_triggers = { { COMMON_GRAMMAR_TRIGGER_TYPE_WORD, TOOL_TEXT_CALL } };
}
