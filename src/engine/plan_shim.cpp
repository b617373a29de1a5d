/* SPDX-License-Identifier: MIT */
#include "engine/plan_shim.h"

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "chat.h"
#include "common.h"
#include "json-schema-to-grammar.h"
#include "json.h"
#include "log.h"

#include "engine/generic_tools.h"
#include "engine/history.h"
#include "engine/schema.h"
#include "engine/shim_error.h"

extern "C" {
#include "base/utf8.h"
}

struct chat_templates {
    const llama_model *model;
    common_chat_templates_ptr all;
    const llama_vocab *vocab;
    chat_caps caps;
    bool parallel_calls;
    mutable int plain = -1;  /* an answer may be plain text; -1: to be found out */
    mutable int crowded = 0; /* enum history_form that keeps messages with several calls, or
                                with a text and calls; found out when it is needed */
};

struct plan {
    const llama_vocab *vocab;
    common_chat_params params;
    std::set<llama_token> kept;
    bool calls;                        /* there are tools */
    bool one_call;                     /* an answer has one at most */
    std::vector<std::string> notes;    /* for the log */
    bool continues;                    /* the answer goes on with the last message */
    std::string grammar;               /* "": anything goes */
    bool lazy = false;                 /* it sleeps until a trigger */
    std::vector<std::string> patterns; /* triggers: regular expressions */
    std::vector<llama_token> tokens;
    std::vector<llama_token> begun; /* what the template has put into the answer's beginning */
    bool watches = false;           /* where thinking begins and ends */
    int budget = INT_MAX;           /* tokens of it */
    llama_tokens start, ending;
    std::vector<llama_tokens> ends;
    std::vector<llama_token> thought; /* as begun, for that */
};

/* Bytes. A request has a limit of its own. */
enum { MAX_DESCRIPTION = 1 << 30 };

/* ---- templates ---- */

static bool thinks(const common_chat_templates *all) {
    try {
        return common_chat_templates_support_enable_thinking(all);
    } catch (const std::exception &) {
        return false; /* it refuses even one line; a request will be told why */
    }
}

struct chat_templates *chat_templates_new(const struct llama_model *model, const char *override,
                                          struct error *err) {
    try {
        auto t = std::make_unique<chat_templates>();
        t->model = model;
        t->all = common_chat_templates_init(model, override ? override : "");
        t->vocab = llama_model_get_vocab(model);
        auto caps = common_chat_templates_get_caps(t->all.get());
        t->caps.explicit_template = override ||
                                    common_chat_templates_was_explicit(t->all.get());
        t->caps.tool_use = caps["supports_tools"] && caps["supports_tool_calls"];
        t->caps.reasoning = thinks(t->all.get());
        t->parallel_calls = caps["supports_parallel_tool_calls"];
        return t.release();
    } catch (const std::exception &e) {
        shim_error(err, ERR_LOAD_FAILED, "The chat template cannot be parsed", e);
        return nullptr;
    }
}

void chat_templates_free(struct chat_templates *templates) {
    delete templates;
}

struct chat_caps chat_templates_caps(const struct chat_templates *templates) {
    return templates->caps;
}

/* ---- input ---- */

/* As the library's own kind of JSON, without a text in between. The caller has limited the
 * nesting (json_parse). */
static common_json to_common(yyjson_val *val) {
    size_t i, count;
    yyjson_val *key, *item;
    switch (yyjson_get_type(val)) {
    case YYJSON_TYPE_BOOL:
        return common_json(yyjson_get_bool(val));
    case YYJSON_TYPE_NUM:
        if (yyjson_is_uint(val)) return common_json(yyjson_get_uint(val));
        if (yyjson_is_sint(val)) return common_json(yyjson_get_sint(val));
        return common_json(yyjson_get_real(val));
    case YYJSON_TYPE_STR:
        return common_json(std::string(yyjson_get_str(val), yyjson_get_len(val)));
    case YYJSON_TYPE_ARR: {
        auto array = common_json::array();
        yyjson_arr_foreach(val, i, count, item) array.push_back(to_common(item));
        return array;
    }
    case YYJSON_TYPE_OBJ: {
        auto object = common_json::object();
        yyjson_obj_foreach(val, i, count, key, item) {
            object[std::string(yyjson_get_str(key), yyjson_get_len(key))] = to_common(item);
        }
        return object;
    }
    default:
        return common_json(nullptr);
    }
}

static std::string to_text(yyjson_val *val) {
    const std::unique_ptr<char, decltype(&free)> text(yyjson_val_write(val, 0, nullptr), free);
    return text ? text.get() : "null";
}

static common_json only_tool(yyjson_val *tools, const char *name) {
    size_t i, count;
    yyjson_val *tool;
    yyjson_arr_foreach(tools, i, count, tool) {
        yyjson_val *function = yyjson_obj_get(tool, "function");
        if (yyjson_equals_str(yyjson_obj_get(function, "name"), name)) {
            return common_json::array({ to_common(tool) });
        }
    }
    throw std::invalid_argument(std::string("tool_choice names '") + name +
                                "', which is not among the tools");
}

/* The tools that may be called. */
static common_json callable_tools(const struct chat_input *in) {
    if (!in->tools) return common_json::array();
    return in->tool_name ? only_tool(in->tools, in->tool_name) : to_common(in->tools);
}

static void read_tools(const struct chat_input *in, const common_json &tools,
                       common_chat_templates_inputs &inputs) {
    const std::string choice = in->tool_choice ? in->tool_choice : "auto";
    inputs.tool_choice = common_chat_tool_choice_parse_oaicompat(choice);
    inputs.tools = common_chat_tools_parse_oaicompat(tools);
    if (in->tool_name) inputs.tool_choice = COMMON_CHAT_TOOL_CHOICE_REQUIRED;
    if (inputs.tool_choice == COMMON_CHAT_TOOL_CHOICE_REQUIRED && inputs.tools.empty()) {
        throw std::invalid_argument("tool_choice demands a tool, but no tools are given");
    }
}

/* The library takes keyword arguments as JSON texts by name. `enable_thinking` and the effort
 * "none" also have a field of their own. */
static void read_kwargs(const struct chat_input *in, common_chat_templates_inputs &inputs) {
    size_t i, count;
    yyjson_val *key, *item;
    yyjson_obj_foreach(in->kwargs, i, count, key, item) {
        inputs.chat_template_kwargs[yyjson_get_str(key)] = to_text(item);
    }
    yyjson_val *thinking = yyjson_obj_get(in->kwargs, "enable_thinking");
    if (thinking && !yyjson_is_bool(thinking)) {
        throw std::invalid_argument("chat_template_kwargs.enable_thinking must be a boolean");
    }
    if (thinking) inputs.enable_thinking = yyjson_get_bool(thinking);
    if (!in->reasoning_effort) return;
    if (strcmp(in->reasoning_effort, "none") == 0) {
        inputs.enable_thinking = false;
    } else {
        inputs.chat_template_kwargs["reasoning_effort"] =
            common_json::make(in->reasoning_effort).dump();
    }
}

/* The model's own last message, unless it is whole, as one with calls is. */
static bool can_go_on(const common_chat_templates_inputs &inputs) {
    if (inputs.messages.empty()) return false;
    const auto &last = inputs.messages.back();
    const bool text = !last.content.empty() || !last.content_parts.empty() ||
                      !last.reasoning_content.empty();
    return last.role == "assistant" && text && last.tool_calls.empty();
}

/* As with llama-server, a conversation that ends with the beginning of an answer goes on with
 * it. */
static void read_continuation(const struct chat_input *in,
                              common_chat_templates_inputs &inputs) {
    const bool can = can_go_on(inputs);
    if (in->continue_final_message > 0 && !can) {
        throw std::invalid_argument("continue_final_message needs a last message of the "
                                    "assistant that has text and no tool calls");
    }
    const bool wanted = in->continue_final_message > 0 ||
                        (in->continue_final_message < 0 && in->add_generation_prompt);
    if (wanted && can) inputs.continue_final_message = COMMON_CHAT_CONTINUATION_AUTO;
}

/* What a plan is made of. */
struct reading {
    const struct chat_templates *templates;
    const struct chat_input *in;
    common_json tools;  /* that may be called */
    std::string schema; /* ""; or of an answer that is no call */
    bool loosened;      /* the tools' schemas were looked at */
    std::vector<std::string> notes;
};

/* All but the messages. An answer that has to be a call has no other schema. */
static common_chat_templates_inputs read_input(const reading &r) {
    const struct chat_input *in = r.in;
    common_chat_templates_inputs inputs;
    inputs.reasoning_format = COMMON_REASONING_FORMAT_DEEPSEEK; /* as its own field */
    inputs.add_generation_prompt = in->add_generation_prompt;
    inputs.parallel_tool_calls = in->parallel_tool_calls < 0 ? r.templates->parallel_calls
                                                             : in->parallel_tool_calls != 0;
    read_tools(in, r.tools, inputs);
    if (inputs.tool_choice != COMMON_CHAT_TOOL_CHOICE_REQUIRED) inputs.json_schema = r.schema;
    read_kwargs(in, inputs);
    return inputs;
}

/* ---- schemas that the library cannot read ---- */

using doc_ptr = std::unique_ptr<yyjson_doc, decltype(&yyjson_doc_free)>;

static common_json tidied(const common_json &schema, bool loosen) {
    const std::string text = schema.dump();
    const doc_ptr doc(yyjson_read(text.c_str(), text.size(), 0), yyjson_doc_free);
    const doc_ptr written(schema_write(yyjson_doc_get_root(doc.get()), loosen),
                          yyjson_doc_free);
    return to_common(yyjson_doc_get_root(written.get()));
}

static bool readable(const common_json &schema) {
    try {
        (void)json_schema_to_grammar(schema);
        return true;
    } catch (const std::bad_alloc &) {
        throw;
    } catch (const std::exception &) {
        return false;
    }
}

/* A tool keeps as much of its schema as can be read. The model sees all of it. */
static bool loosen_tool(common_json &function, std::vector<std::string> &notes) {
    if (!function.contains("parameters") || readable(function.at("parameters"))) return false;
    const common_json given = function.at("parameters");
    const bool object = given.is_object();
    const common_json exact = object ? tidied(given, false) : given;
    if (object && readable(exact)) {
        function["parameters"] = exact;
        return true;
    }
    const common_json loose = object ? tidied(given, true) : given;
    const std::string name = function.value("name", "");
    const bool usable = object && readable(loose);
    function["parameters"] = usable ? loose : common_json::parse("{\"type\":\"object\"}");
    function["description"] = function.value("description", "") +
                              "\nSchema of the arguments: " + given.dump();
    notes.push_back("The schema of the tool '" + name + "' cannot be enforced " +
                    (usable ? "in all its parts; these take any value."
                            : "; its arguments may be any object."));
    return true;
}

/* True if a tool has changed. */
static bool loosen_tools(reading &r) {
    bool changed = false;
    if (r.loosened) return false;
    r.loosened = true;
    for (size_t i = 0; i < r.tools.size(); i++)
        changed = loosen_tool(r.tools[i]["function"], r.notes) || changed;
    return changed;
}

struct schema_error : std::invalid_argument {
    using std::invalid_argument::invalid_argument;
};

static std::string answer_schema(const struct chat_input *in) {
    if (!in->schema) return "";
    try {
        const auto schema = tidied(common_json::parse(in->schema), false);
        (void)json_schema_to_grammar(schema);
        return schema.dump();
    } catch (const std::bad_alloc &) {
        throw;
    } catch (const std::exception &e) {
        throw schema_error(e.what());
    }
}

/* ---- a conversation in a form that the template takes ---- */

struct applied {
    common_chat_params params;
    bool continues; /* the answer goes on with the last message */
    bool kept;      /* nothing was left out */
};

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

/* In the first form that the template takes whole; else in the first that it takes. If it takes
 * none, what it says of the first. */
static applied apply_template(reading &r) {
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

/* ---- what the answer must match ---- */

static std::string anchored(const std::string &pattern) {
    const bool from = !pattern.empty() && pattern.front() == '^';
    const bool to = !pattern.empty() && pattern.back() == '$';
    return (from ? "" : "^") + pattern + (to ? "" : "$");
}

/* A word that is one token of the template's own fires on the token. */
static void add_word(plan *p, const std::string &word) {
    const auto ids = common_tokenize(p->vocab, word, false, true);
    if (ids.size() == 1 && p->kept.count(ids[0])) {
        p->tokens.push_back(ids[0]);
    } else {
        p->patterns.push_back(regex_escape(word));
    }
}

static void read_triggers(plan *p) {
    for (const auto &trigger : p->params.grammar_triggers) {
        switch (trigger.type) {
        case COMMON_GRAMMAR_TRIGGER_TYPE_TOKEN:
            p->tokens.push_back(trigger.token);
            break;
        case COMMON_GRAMMAR_TRIGGER_TYPE_PATTERN:
            p->patterns.push_back(trigger.value);
            break;
        case COMMON_GRAMMAR_TRIGGER_TYPE_PATTERN_FULL:
            p->patterns.push_back(anchored(trigger.value));
            break;
        case COMMON_GRAMMAR_TRIGGER_TYPE_WORD:
            add_word(p, trigger.value);
            break;
        }
    }
    if (p->patterns.empty() && p->tokens.empty()) {
        throw std::runtime_error("the tool grammar of this template has no trigger");
    }
}

static std::string spelled(const llama_vocab *vocab, const llama_tokens &tokens) {
    std::string text;
    for (llama_token token : tokens) text += common_token_to_piece(vocab, token, true);
    return text;
}

/* The end of the tokens that is exactly this text; empty: no end is. */
static llama_tokens end_that_says(const llama_vocab *vocab, llama_tokens tokens,
                                  const std::string &text) {
    while (!tokens.empty() && spelled(vocab, tokens) != text) tokens.erase(tokens.begin());
    return tokens;
}

/* The longest token that the text has at `at`. */
static llama_token longest_token(const llama_vocab *vocab, const std::string &text, size_t at) {
    llama_token best = LLAMA_TOKEN_NULL;
    size_t longest = 0;
    for (llama_token token = 0; token < llama_vocab_n_tokens(vocab); token++) {
        const std::string piece = common_token_to_piece(vocab, token, true);
        if (piece.size() <= longest || text.compare(at, piece.size(), piece) != 0) continue;
        longest = piece.size();
        best = token;
    }
    return best;
}

/* Tokens that say exactly what the answer begins with. A SentencePiece vocabulary puts a space
 * in front of a text, within its first token; but not behind a newline. Where that does not
 * help the text is cut into any tokens that it has. */
static llama_tokens begun_tokens(const plan *p, const std::string &begun) {
    const auto read = [&](const std::string &text) {
        return end_that_says(p->vocab, common_tokenize(p->vocab, text, false, true), begun);
    };
    if (begun.empty()) return {};
    auto tokens = read(begun);
    if (tokens.empty()) tokens = read("\n" + begun);
    if (!tokens.empty()) return tokens;
    for (size_t at = 0; at < begun.size();) {
        const llama_token token = longest_token(p->vocab, begun, at);
        if (token == LLAMA_TOKEN_NULL) return common_tokenize(p->vocab, begun, false, true);
        tokens.push_back(token);
        at += common_token_to_piece(p->vocab, token, true).size();
    }
    return tokens;
}

/* A grammar of the request's own is about the answer alone and wins over that of tools. */
static void read_grammar(plan *p, const struct chat_input *in) {
    if (in->grammar) {
        p->grammar = in->grammar;
        return;
    }
    p->grammar = p->params.grammar;
    if (p->grammar.empty()) return;
    p->lazy = p->params.grammar_lazy;
    if (p->lazy)
        read_triggers(p);
    else
        p->begun = begun_tokens(p, p->params.generation_prompt);
}

/* Two need to know where thinking begins and ends: a budget for it, and a grammar that a tool
 * call the model only thinks about must not wake. The library's sampler of budgets knows.
 * Templates that have no tags of thinking have nothing to be limited. */
static void watch_thinking(plan *p, const struct chat_input *in) {
    const auto &tags = p->params.thinking_end_tags;
    const bool limited = in->reasoning_budget >= 0;
    if (in->grammar || (!p->lazy && !limited) || p->params.thinking_start_tag.empty() ||
        tags.empty())
        return;
    p->watches = true;
    if (limited) p->budget = in->reasoning_budget;
    for (const auto &tag : tags) p->ends.push_back(common_tokenize(p->vocab, tag, false, true));
    const std::string ending = (in->reasoning_ending ? in->reasoning_ending : "") + tags[0];
    p->ending = common_tokenize(p->vocab, ending, false, true);
    p->start = common_tokenize(p->vocab, p->params.thinking_start_tag, false, true);
    /* Without the space behind a start tag: of a budget of 0 it would pass for the first token.
     */
    std::string begun = p->params.generation_prompt;
    while (!begun.empty() && std::isspace((unsigned char)begun.back())) begun.pop_back();
    p->thought = begun_tokens(p, begun);
}

/* ---- a plan ---- */

/* A model that was never taught ChatML has no token for its end mark and writes it as text. */
static void add_fallback_stop(plan *p) {
    const std::string mark = "<|im_end|>";
    if (common_tokenize(p->vocab, mark, false, true).size() != 1)
        p->params.additional_stops.push_back(mark);
}

struct plan *plan_new(const struct chat_templates *templates, const struct chat_input *input,
                      struct error *err) {
    std::unique_ptr<chat_templates> own;
    if (input->chat_template) {
        own.reset(chat_templates_new(templates->model, input->chat_template, err));
        if (!own) {
            err->code = ERR_INVALID_REQUEST; /* it is the request's */
            return nullptr;
        }
        templates = own.get();
    }
    try {
        auto p = std::make_unique<plan>();
        p->vocab = templates->vocab;
        reading r = {
            templates, input, callable_tools(input), answer_schema(input), false, {}
        };
        auto applied = apply_template(r);
        p->notes = std::move(r.notes);
        p->params = std::move(applied.params);
        p->continues = applied.continues;
        p->calls = input->tools != nullptr;
        p->one_call = input->parallel_tool_calls == 0;
        if (!templates->caps.explicit_template) add_fallback_stop(p.get());
        for (const auto &text : p->params.preserved_tokens) {
            const auto ids = common_tokenize(p->vocab, text, false, true);
            if (ids.size() == 1) p->kept.insert(ids[0]);
        }
        read_grammar(p.get(), input);
        watch_thinking(p.get(), input);
        return p.release();
    } catch (const schema_error &e) {
        error_set_param(err, ERR_INVALID_REQUEST, "response_format",
                        "The schema in 'response_format' cannot be used: %s", e.what());
        return nullptr;
    } catch (const std::exception &e) {
        shim_error(err, ERR_INVALID_REQUEST,
                   "The conversation does not fit the model's chat template", e);
        return nullptr;
    }
}

void plan_free(struct plan *plan) {
    delete plan;
}

const char *plan_prompt(const struct plan *plan, size_t *ret_len) {
    *ret_len = plan->params.prompt.size();
    return plan->params.prompt.c_str();
}

/* ---- as JSON ---- */

/* A hostile template may write bytes that are not UTF-8, which JSON cannot carry. */
static yyjson_mut_val *text_val(yyjson_mut_doc *doc, const std::string &text) {
    if (utf8_is_valid(text.data(), text.size()))
        return yyjson_mut_strncpy(doc, text.data(), text.size());
    struct buf whole;
    buf_init(&whole, 3 * text.size());
    (void)utf8_repair(&whole, text.data(), text.size());
    yyjson_mut_val *val = yyjson_mut_strncpy(doc, buf_str(&whole), whole.len);
    buf_clear(&whole);
    return val;
}

static yyjson_mut_val *texts_val(yyjson_mut_doc *doc, const std::vector<std::string> &texts) {
    yyjson_mut_val *array = yyjson_mut_arr(doc);
    for (const auto &text : texts) yyjson_mut_arr_append(array, text_val(doc, text));
    return array;
}

template <typename Tokens>
static yyjson_mut_val *tokens_val(yyjson_mut_doc *doc, const Tokens &tokens) {
    yyjson_mut_val *array = yyjson_mut_arr(doc);
    for (llama_token token : tokens) yyjson_mut_arr_add_int(doc, array, token);
    return array;
}

static yyjson_mut_val *thinking_val(const struct plan *p, yyjson_mut_doc *doc) {
    yyjson_mut_val *obj = yyjson_mut_obj(doc), *ends = yyjson_mut_arr(doc);
    for (const auto &end : p->ends) yyjson_mut_arr_append(ends, tokens_val(doc, end));
    yyjson_mut_obj_add_int(doc, obj, "budget", p->budget);
    yyjson_mut_obj_add_val(doc, obj, "start", tokens_val(doc, p->start));
    yyjson_mut_obj_add_val(doc, obj, "ends", ends);
    yyjson_mut_obj_add_val(doc, obj, "ending", tokens_val(doc, p->ending));
    yyjson_mut_obj_add_val(doc, obj, "begun", tokens_val(doc, p->thought));
    return obj;
}

static yyjson_mut_val *constraint_val(const struct plan *p, yyjson_mut_doc *doc) {
    yyjson_mut_val *obj = yyjson_mut_obj(doc);
    if (!p->grammar.empty()) {
        yyjson_mut_obj_add_val(doc, obj, "grammar", text_val(doc, p->grammar));
        yyjson_mut_obj_add_bool(doc, obj, "lazy", p->lazy);
        yyjson_mut_obj_add_val(doc, obj, "patterns", texts_val(doc, p->patterns));
        yyjson_mut_obj_add_val(doc, obj, "tokens", tokens_val(doc, p->tokens));
        yyjson_mut_obj_add_val(doc, obj, "begun", tokens_val(doc, p->begun));
    }
    if (p->watches) yyjson_mut_obj_add_val(doc, obj, "thinking", thinking_val(p, doc));
    return obj;
}

static yyjson_mut_val *answer_val(const struct plan *p, yyjson_mut_doc *doc) {
    yyjson_mut_val *obj = yyjson_mut_obj(doc);
    yyjson_mut_obj_add_int(doc, obj, "format", p->params.format);
    yyjson_mut_obj_add_val(doc, obj, "generation_prompt",
                           text_val(doc, p->params.generation_prompt));
    yyjson_mut_obj_add_val(doc, obj, "parser", text_val(doc, p->params.parser));
    yyjson_mut_obj_add_bool(doc, obj, "calls", p->calls);
    yyjson_mut_obj_add_bool(doc, obj, "one_call", p->one_call);
    yyjson_mut_obj_add_bool(doc, obj, "continues", p->continues);
    yyjson_mut_obj_add_val(doc, obj, "kept", tokens_val(doc, p->kept));
    yyjson_mut_obj_add_val(doc, obj, "stops", texts_val(doc, p->params.additional_stops));
    return obj;
}

void plan_write(const struct plan *plan, yyjson_mut_doc *doc, yyjson_mut_val *obj) {
    yyjson_mut_obj_add_val(doc, obj, "answer", answer_val(plan, doc));
    if (!plan->notes.empty())
        yyjson_mut_obj_add_val(doc, obj, "notes", texts_val(doc, plan->notes));
    if (plan->grammar.empty() && !plan->watches) return;
    yyjson_mut_obj_add_val(doc, obj, "constraint", constraint_val(plan, doc));
}

/* ---- others ---- */

int32_t chat_tokenize(const struct llama_vocab *vocab, const char *text, int32_t len,
                      llama_token *tokens, int32_t max, unsigned marks) {
    try {
        return llama_tokenize(vocab, text, len, tokens, max, (marks & TOKENS_ADD_SPECIAL) != 0,
                              (marks & TOKENS_PARSE_SPECIAL) != 0);
    } catch (const std::exception &) {
        return INT32_MIN;
    }
}

void plan_shim_quiet(void) {
    common_log_set_verbosity_thold(-1);
}
