/* SPDX-License-Identifier: MIT */
#include "engine/template_apply.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <stdexcept>

#include "engine/generic_tools.h"
#include "engine/history.h"

/* Bytes. A request has a limit of its own. */
enum { MAX_DESCRIPTION = 1 << 30 };

/* The model's own last message, unless it is whole, as one with calls is. */
static bool can_go_on(const common_chat_templates_inputs &inputs) {
    if (inputs.messages.empty()) return false;
    const auto &last = inputs.messages.back();
    const bool text = !last.content.empty() || !last.content_parts.empty() ||
                      !last.reasoning_content.empty();
    return last.role == "assistant" && text && last.tool_calls.empty();
}

/* As in llama-server, a conversation that ends with the beginning of an answer continues it. */
static void read_continuation(const struct chat_input *in,
                              common_chat_templates_inputs &inputs) {
    const bool can = can_go_on(inputs); /* else it was refused where it is demanded */
    const bool wanted = in->continue_final_message > 0 ||
                        (in->continue_final_message < 0 && in->add_generation_prompt);
    if (wanted && can) inputs.continue_final_message = COMMON_CHAT_CONTINUATION_AUTO;
}

static applied apply(const reading &r, common_chat_templates_inputs &inputs, history_form form,
                     const char *system) {
    const doc_ptr doc(history_write(r.in->messages, form, system), yyjson_doc_free);
    yyjson_val *messages = yyjson_doc_get_root(doc.get());
    inputs.messages = common_chat_msgs_parse_oaicompat(to_common(messages));
    read_continuation(r.in, inputs);
    auto params = common_chat_templates_apply(r.templates->all.get(), inputs);
    if (!inputs.json_schema.empty() && (params.grammar.empty() || params.grammar_lazy)) {
        /* The formats of some templates forget it. */
        generic_tools_add(params, common_json::array(), {},
                          common_json::parse(inputs.json_schema));
    }
    const auto &prompt = params.prompt;
    const bool kept = history_kept(messages, prompt.data(), prompt.size());
    const bool continues = inputs.continue_final_message != COMMON_CHAT_CONTINUATION_NONE;
    return { std::move(params), continues, kept };
}

/* Tools and calls as text, for a template that does not know them. */
static applied apply_as_text(const reading &r, common_chat_templates_inputs &inputs,
                             history_form form) {
    if (inputs.tools.empty() || inputs.tool_choice == COMMON_CHAT_TOOL_CHOICE_NONE) {
        inputs.tools.clear();
        return apply(r, inputs, form, nullptr);
    }
    const bool required = inputs.tool_choice == COMMON_CHAT_TOOL_CHOICE_REQUIRED;
    const tool_text_rules rules = { required, r.in->parallel_tool_calls != 0 };
    struct buf system;
    buf_init(&system, MAX_DESCRIPTION);
    tool_text_describe(&system, r.in->tools, rules);
    const std::string text(buf_str(&system), system.len);
    buf_clear(&system);
    inputs.tools.clear();
    inputs.json_schema.clear();
    auto applied = apply(r, inputs, form, text.c_str());
    const auto schema = r.schema.empty() ? common_json(nullptr) : common_json::parse(r.schema);
    generic_tools_add(applied.params, r.tools, rules, schema);
    return applied;
}

static applied apply_in_form(const reading &r, history_form form) {
    auto inputs = read_input(r);
    return form < HISTORY_PLAIN ? apply(r, inputs, form, nullptr)
                                : apply_as_text(r, inputs, form);
}

/* A conversation to find out how a template behaves. */
static applied apply_probe(const struct chat_templates *t, const std::string &messages,
                           history_form form) {
    const doc_ptr doc(yyjson_read(messages.c_str(), messages.size(), 0), yyjson_doc_free);
    chat_input in = {};
    in.messages = yyjson_doc_get_root(doc.get());
    in.parallel_tool_calls = in.reasoning_budget = -1;
    in.add_generation_prompt = true;
    return apply_in_form({ t, &in, common_json::array(), "", false, {} }, form);
}

/* Some templates write the first of several calls only, or a text or a call. */
static const char PROBE[] = R"([{"role":"user","content":"Go"},
{"role":"assistant","content":"I go","tool_calls":[
{"id":"firstcall","type":"function","function":{"name":"go",
"arguments":"{\"to\":\"first-place\"}"}},
{"id":"othercall","type":"function","function":{"name":"go",
"arguments":"{\"to\":\"other-place\"}"}}]},
{"role":"tool","tool_call_id":"firstcall","content":"gone"},
{"role":"tool","tool_call_id":"othercall","content":"gone"}])";

static bool writes_calls(const struct chat_templates *t, history_form form) {
    try {
        const auto prompt = apply_probe(t, PROBE, form).params.prompt;
        return prompt.find("first-place") != std::string::npos &&
               prompt.find("other-place") != std::string::npos;
    } catch (const std::bad_alloc &) {
        throw;
    } catch (const std::exception &) {
        return false;
    }
}

/* False: its answers stand in marks of their own, and text without them is none. */
static bool reads_plain_text(const struct chat_templates *t) {
    try {
        const auto params =
            apply_probe(t, "[{\"role\":\"user\",\"content\":\"Go\"}]", HISTORY_AS_SENT).params;
        common_chat_parser_params parser(params);
        if (!params.parser.empty()) parser.parser.load(params.parser);
        return common_chat_parse("I go", false, parser).content == "I go";
    } catch (const std::bad_alloc &) {
        throw;
    } catch (const std::exception &) {
        return false;
    }
}

/* The library's formats have either calls or an answer that matches a schema; ours has both. */
static bool wants_both(const reading &r) {
    const auto *choice = r.in->tool_choice;
    const bool free = !r.in->tool_name && (!choice || strcmp(choice, "auto") == 0);
    if (r.tools.empty() || r.schema.empty() || r.in->grammar || !free) return false;
    if (r.templates->plain < 0) r.templates->plain = reads_plain_text(r.templates);
    return r.templates->plain;
}

/* The first form that is worth a try. */
static int first_form(const reading &r) {
    const auto *t = r.templates;
    const auto facts = history_look(r.in->messages);
    if (!t->caps.tool_use && (!r.tools.empty() || facts.calls)) return HISTORY_PLAIN;
    if (wants_both(r)) return HISTORY_PLAIN;
    const bool unpaired = facts.unpaired || (facts.open && r.in->add_generation_prompt);
    const int form = unpaired ? HISTORY_JOINED : HISTORY_AS_SENT;
    if (!facts.crowded) return form;
    while (t->crowded < HISTORY_PLAIN && !writes_calls(t, (history_form)t->crowded))
        t->crowded++;
    return std::max(form, t->crowded);
}

applied apply_template(reading &r) {
    std::unique_ptr<applied> first;
    std::string complaint;
    for (int form = first_form(r); form < HISTORY_FORMS; form++) {
        try {
            auto now = apply_in_form(r, (history_form)form);
            if (now.kept) return now;
            if (!first) first = std::make_unique<applied>(std::move(now));
        } catch (const std::bad_alloc &) {
            throw;
        } catch (const std::exception &e) {
            if (complaint.empty()) complaint = e.what();
            if (loosen_tools(r)) form--; /* the same again */
        }
    }
    if (first) return std::move(*first);
    throw std::runtime_error(complaint);
}
