/* SPDX-License-Identifier: MIT */
#include "engine/chat_shim.h"

#include <algorithm>
#include <climits>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "chat.h"
#include "common.h"
#include "json-schema-to-grammar.h"
#include "json.h"
#include "log.h"
#include "reasoning-budget.h"
#include "trie.h"

struct sampler_deleter {
    void operator()(llama_sampler *s) const { llama_sampler_free(s); }
};
using sampler_ptr = std::unique_ptr<llama_sampler, sampler_deleter>;

struct chat_templates {
    const llama_model *model;
    common_chat_templates_ptr all;
    const llama_vocab *vocab;
    chat_caps caps;
    bool parallel_calls;
};

/* Text that the format takes as it is up to one of some marks. */
struct plain_field {
    bool known = true; /* false: it is not always ended by a mark, as JSON is not */
    common_trie ends;
    size_t longest = 0; /* bytes of the longest mark */
};

struct chat {
    const llama_vocab *vocab;
    std::unique_ptr<chat_templates> own; /* of a request that brings its template along */
    common_chat_params params;
    common_chat_parser_params parser;
    std::set<llama_token> kept;
    sampler_ptr grammar; /* NULL: anything goes */
    sampler_ptr
        thinking;     /* knows when the model thinks, and ends that; NULL: does not matter */
    std::string text; /* of the answer so far */
    common_chat_msg last;
    plain_field content, reasoning;
    const plain_field *open = nullptr; /* the field that takes plain text now */
    size_t taken = 0;  /* bytes of `text` that were parsed, or given to the open field */
    size_t credit = 0; /* bytes that may be parsed */
    std::vector<std::string> call_ids;
    std::set<size_t> announced; /* calls whose name has been given */
};

static void set_error(struct error *err, enum err_code code, const char *what,
                      const std::exception &e) {
    error_set(err, code, "%s: %s", what, e.what());
}

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
        set_error(err, ERR_LOAD_FAILED, "The chat template cannot be parsed", e);
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

static void read_tools(const struct chat_input *in, common_chat_templates_inputs &inputs) {
    const std::string choice = in->tool_choice ? in->tool_choice : "auto";
    inputs.tool_choice = common_chat_tool_choice_parse_oaicompat(choice);
    if (in->tools) {
        inputs.tools = common_chat_tools_parse_oaicompat(
            in->tool_name ? only_tool(in->tools, in->tool_name) : to_common(in->tools));
    }
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

static common_chat_templates_inputs read_input(const struct chat_templates *t,
                                               const struct chat_input *in) {
    common_chat_templates_inputs inputs;
    inputs.messages = common_chat_msgs_parse_oaicompat(to_common(in->messages));
    inputs.reasoning_format = COMMON_REASONING_FORMAT_DEEPSEEK; /* as its own field */
    inputs.add_generation_prompt = in->add_generation_prompt;
    inputs.parallel_tool_calls = in->parallel_tool_calls < 0 ? t->parallel_calls
                                                             : in->parallel_tool_calls != 0;
    if (in->schema) inputs.json_schema = in->schema;
    read_tools(in, inputs);
    read_kwargs(in, inputs);
    return inputs;
}

/* ---- constraint ---- */

struct triggers {
    std::vector<std::string> patterns; /* regular expressions */
    std::vector<llama_token> tokens;
};

static std::string anchored(const std::string &pattern) {
    const bool from = !pattern.empty() && pattern.front() == '^';
    const bool to = !pattern.empty() && pattern.back() == '$';
    return (from ? "" : "^") + pattern + (to ? "" : "$");
}

/* A word that is one token of the template's own fires on the token. */
static void add_word(const struct chat *c, const std::string &word, triggers &ret) {
    const auto ids = common_tokenize(c->vocab, word, false, true);
    if (ids.size() == 1 && c->kept.count(ids[0])) {
        ret.tokens.push_back(ids[0]);
    } else {
        ret.patterns.push_back(regex_escape(word));
    }
}

static triggers read_triggers(const struct chat *c) {
    triggers ret;
    for (const auto &trigger : c->params.grammar_triggers) {
        switch (trigger.type) {
        case COMMON_GRAMMAR_TRIGGER_TYPE_TOKEN:
            ret.tokens.push_back(trigger.token);
            break;
        case COMMON_GRAMMAR_TRIGGER_TYPE_PATTERN:
            ret.patterns.push_back(trigger.value);
            break;
        case COMMON_GRAMMAR_TRIGGER_TYPE_PATTERN_FULL:
            ret.patterns.push_back(anchored(trigger.value));
            break;
        case COMMON_GRAMMAR_TRIGGER_TYPE_WORD:
            add_word(c, trigger.value, ret);
            break;
        }
    }
    return ret;
}

static llama_sampler *new_lazy_grammar(const struct chat *c) {
    const triggers found = read_triggers(c);
    if (found.patterns.empty() && found.tokens.empty()) {
        throw std::runtime_error("the tool grammar of this template has no trigger");
    }
    std::vector<const char *> raw;
    for (const auto &pattern : found.patterns) raw.push_back(pattern.c_str());
    return llama_sampler_init_grammar_lazy_patterns(c->vocab, c->params.grammar.c_str(), "root",
                                                    raw.data(), raw.size(), found.tokens.data(),
                                                    found.tokens.size());
}

/* What the template has already put into the answer's beginning. Some tokenizers put a space
 * before a first special token; it is not part of it. */
static std::vector<llama_token> begun_tokens(const struct chat *c, const std::string &begun) {
    auto tokens = begun.empty() ? llama_tokens()
                                : common_tokenize(c->vocab, begun, false, true);
    if (tokens.empty()) return tokens;
    const std::string piece = common_token_to_piece(c->vocab, tokens[0], true);
    const auto space = [](char ch) { return std::isspace((unsigned char)ch) != 0; };
    if (!piece.empty() && space(piece[0]) && !space(begun[0])) tokens.erase(tokens.begin());
    return tokens;
}

static void prepare_constraint(struct chat *c) {
    const bool lazy = c->params.grammar_lazy;
    c->grammar.reset(
        lazy ? new_lazy_grammar(c)
             : llama_sampler_init_grammar(c->vocab, c->params.grammar.c_str(), "root"));
    if (!c->grammar) throw std::invalid_argument("no grammar can be made of the schema");
    if (lazy) return;
    for (llama_token token : begun_tokens(c, c->params.generation_prompt)) {
        llama_sampler_accept(c->grammar.get(), token);
    }
}

/* Two need to know where thinking begins and ends: a budget for it, and a grammar that a tool
 * call the model only thinks about must not wake. The library's sampler of budgets knows.
 * Templates that have no tags of thinking have nothing to be limited. */
static void watch_thinking(struct chat *c, const struct chat_input *in) {
    const auto &tags = c->params.thinking_end_tags;
    const bool limited = in->reasoning_budget >= 0;
    const bool sleeps = c->grammar && c->params.grammar_lazy;
    if (in->grammar || (!sleeps && !limited) || c->params.thinking_start_tag.empty() ||
        tags.empty())
        return;
    std::vector<llama_tokens> ends;
    for (const auto &tag : tags) ends.push_back(common_tokenize(c->vocab, tag, false, true));
    const std::string ending = (in->reasoning_ending ? in->reasoning_ending : "") + tags[0];
    const auto start = common_tokenize(c->vocab, c->params.thinking_start_tag, false, true);
    c->thinking.reset(common_reasoning_budget_init(
        c->vocab, { start }, ends, common_tokenize(c->vocab, ending, false, true),
        limited ? in->reasoning_budget : INT_MAX));
    /* Without the space behind a start tag: of a budget of 0 it would pass for the first token.
     */
    std::string begun = c->params.generation_prompt;
    while (!begun.empty() && std::isspace((unsigned char)begun.back())) begun.pop_back();
    for (llama_token token : begun_tokens(c, begun)) {
        llama_sampler_accept(c->thinking.get(), token);
    }
}

/* A grammar of the request's own is about the answer alone and wins over that of tools. */
static void constrain_to(struct chat *c, const char *grammar) {
    c->grammar.reset(llama_sampler_init_grammar(c->vocab, grammar, "root"));
    if (!c->grammar) throw std::invalid_argument("the grammar cannot be read");
}

static bool grammar_awake(const struct chat *c) {
    if (!c->grammar) return false;
    if (!c->thinking || !c->params.grammar_lazy) return true;
    const auto state = common_reasoning_budget_get_state(c->thinking.get());
    return state == REASONING_BUDGET_IDLE || state == REASONING_BUDGET_DONE;
}

bool chat_constrains(const struct chat *chat) {
    return chat->grammar || chat->thinking;
}

void chat_constrain(struct chat *chat, llama_token_data_array *candidates) {
    try {
        if (chat->thinking) llama_sampler_apply(chat->thinking.get(), candidates);
        if (grammar_awake(chat)) llama_sampler_apply(chat->grammar.get(), candidates);
    } catch (const std::exception &) {
        for (size_t i = 0; i < candidates->size; i++) candidates->data[i].logit = -INFINITY;
    }
}

bool chat_accept(struct chat *chat, llama_token token) {
    try {
        const bool awake = grammar_awake(chat); /* before the token changes it */
        if (chat->thinking) {
            llama_sampler_accept(chat->thinking.get(), token);
            /* The end tag may itself be a trigger: let the grammar see it. */
            const auto *end = common_reasoning_budget_get_end_match(chat->thinking.get());
            if (!awake && end && grammar_awake(chat)) {
                for (llama_token t : *end) llama_sampler_accept(chat->grammar.get(), t);
            }
        }
        if (awake) llama_sampler_accept(chat->grammar.get(), token);
        return true;
    } catch (const std::exception &) {
        return false;
    }
}

/* ---- where plain text ends ---- */

/* The marks up to which the parser `id` reads; NULL: it reads in another way. */
static const std::vector<std::string> *marks_of(const common_peg_arena &arena, size_t id) {
    for (;;) {
        const auto &parser = arena.get(id);
        if (const auto *until = std::get_if<common_peg_until_parser>(&parser)) {
            return &until->delimiters;
        }
        const auto *rule = std::get_if<common_peg_rule_parser>(&parser);
        if (!rule) return nullptr;
        id = rule->child;
    }
}

static void add_marks(plain_field &field, const std::vector<std::string> *marks) {
    if (!marks) {
        field.known = false;
        return;
    }
    for (const auto &mark : *marks) {
        field.ends.insert(mark);
        field.longest = std::max(field.longest, mark.size());
    }
}

/* What the format says about its plain fields. A format without a parser is content only. */
static void read_fields(struct chat *c) {
    const common_peg_arena &arena = c->parser.parser;
    for (size_t id = 0; id < arena.size(); id++) {
        const auto *tag = std::get_if<common_peg_tag_parser>(&arena.get(id));
        if (!tag) continue;
        if (tag->tag == "content") add_marks(c->content, marks_of(arena, tag->child));
        if (tag->tag == "reasoning") add_marks(c->reasoning, marks_of(arena, tag->child));
    }
}

/* ---- a conversation ---- */

struct chat *chat_new(const struct chat_templates *templates, const struct chat_input *input,
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
        auto c = std::make_unique<chat>();
        c->vocab = templates->vocab;
        c->params = common_chat_templates_apply(templates->all.get(),
                                                read_input(templates, input));
        c->parser = common_chat_parser_params(c->params);
        c->parser.reasoning_format = COMMON_REASONING_FORMAT_DEEPSEEK;
        c->parser.parse_tool_calls = input->tools != nullptr;
        if (!c->params.parser.empty()) c->parser.parser.load(c->params.parser);
        read_fields(c.get());
        for (const auto &text : c->params.preserved_tokens) {
            const auto ids = common_tokenize(c->vocab, text, false, true);
            if (ids.size() == 1) c->kept.insert(ids[0]);
        }
        if (input->grammar) {
            constrain_to(c.get(), input->grammar);
        } else if (!c->params.grammar.empty()) {
            prepare_constraint(c.get());
        }
        watch_thinking(c.get(), input);
        c->own = std::move(own);
        return c.release();
    } catch (const std::exception &e) {
        set_error(err, ERR_INVALID_REQUEST,
                  "The conversation does not fit the model's chat template", e);
        return nullptr;
    }
}

void chat_free(struct chat *chat) {
    delete chat;
}

const char *chat_prompt(const struct chat *chat, size_t *ret_len) {
    *ret_len = chat->params.prompt.size();
    return chat->params.prompt.c_str();
}

const char *chat_stop(const struct chat *chat, size_t index) {
    const auto &stops = chat->params.additional_stops;
    return index < stops.size() ? stops[index].c_str() : nullptr;
}

bool chat_keeps_token(const struct chat *chat, llama_token token) {
    return chat->kept.count(token) != 0;
}

/* ---- parsing the answer ---- */

static std::string new_call_id() {
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    static std::mt19937_64 random{ std::random_device{}() };
    std::string id = "call_";
    for (int i = 0; i < 24; i++) id += letters[random() % (sizeof letters - 1)];
    return id;
}

static void give(const chat_piece &piece, chat_piece_fn fn, void *ctx) {
    fn(ctx, &piece);
}

static void give_content(const std::string &text, chat_piece_fn fn, void *ctx) {
    if (!text.empty()) give({ text.c_str(), "", -1, "", "", "" }, fn, ctx);
}

/* A name may still grow while it is being written, so a call is announced with its first
 * argument, with the next call, or at the end. */
static void give_call(struct chat *c, size_t index, const std::string &arguments,
                      chat_piece_fn fn, void *ctx) {
    const bool first = c->announced.insert(index).second;
    const auto &call = c->last.tool_calls[index];
    give({ "", "", (int)index, first ? call.id.c_str() : "", first ? call.name.c_str() : "",
           arguments.c_str() },
         fn, ctx);
}

static void announce_calls(struct chat *c, size_t below, chat_piece_fn fn, void *ctx) {
    for (size_t i = 0; i < below && i < c->last.tool_calls.size(); i++) {
        if (!c->announced.count(i) && !c->last.tool_calls[i].name.empty()) {
            give_call(c, i, "", fn, ctx);
        }
    }
}

static void give_diff(struct chat *c, const common_chat_msg_diff &diff, chat_piece_fn fn,
                      void *ctx) {
    if (diff.tool_call_index == std::string::npos) {
        give({ diff.content_delta.c_str(), diff.reasoning_content_delta.c_str(), -1, "", "",
               "" },
             fn, ctx);
        return;
    }
    announce_calls(c, diff.tool_call_index, fn, ctx);
    const auto &arguments = diff.tool_call_delta.arguments;
    if (!arguments.empty()) give_call(c, diff.tool_call_index, arguments, fn, ctx);
}

/*
 * The library has no incremental parser: it parses the whole answer each time. Done for every
 * token that is quadratic, 1.1 ms per token at 8,000. But content and reasoning are read up to
 * the next of a few marks, so once all of a piece has gone into one of them, later pieces are
 * appended to it here, and what may be the beginning of a mark is held back, as the library
 * does. Only a whole mark needs a parse. Elsewhere (arguments of calls, answers in JSON)
 * nothing is known about the text, and parses are rationed.
 */

/* Bytes that each piece allows to be parsed, so that the cost per token has a bound. */
static constexpr size_t CREDIT_PER_PIECE = 4096;

/* Credit saved up in a plain field is enough for this many parses of everything: where a field
 * ends a few are needed at once. */
static constexpr size_t MAX_SAVED_PARSES = 8;

/* The first position from `at` on where one of the field's marks is or, at the text's end, may
 * be going to be; the text's size if there is none. */
static size_t find_mark(const plain_field &field, const std::string &text, size_t at,
                        bool *ret_whole) {
    *ret_whole = false;
    for (; at < text.size() && field.longest > 0; at++) {
        const auto match = field.ends.check_at(text, at);
        *ret_whole = match == common_trie::COMPLETE_MATCH;
        if (match != common_trie::NO_MATCH) return at;
    }
    return text.size();
}

/* False: a mark has come, and the text has to be parsed. */
static bool extend_open(struct chat *c, chat_piece_fn fn, void *ctx) {
    const plain_field &field = *c->open;
    bool whole;
    const size_t end = find_mark(field, c->text, c->taken, &whole);
    if (whole) return false;
    const std::string delta = c->text.substr(c->taken, end - c->taken);
    c->taken = end;
    if (delta.empty()) return true;
    const bool thinks = c->open == &c->reasoning;
    (thinks ? c->last.reasoning_content : c->last.content) += delta;
    give({ thinks ? "" : delta.c_str(), thinks ? delta.c_str() : "", -1, "", "", "" }, fn, ctx);
    return true;
}

/* The parse made this of the text from `from` on: if all of it went into a plain field, more
 * text goes there, too. */
static const plain_field *still_open(const struct chat *c, size_t from,
                                     const std::vector<common_chat_msg_diff> &diffs) {
    if (diffs.size() != 1 || diffs[0].tool_call_index != std::string::npos) return nullptr;
    const bool thinks = !diffs[0].reasoning_content_delta.empty();
    const auto &field = thinks ? c->reasoning : c->content;
    const auto &delta = thinks ? diffs[0].reasoning_content_delta : diffs[0].content_delta;
    if (!field.known || c->text.compare(from, std::string::npos, delta) != 0) return nullptr;
    const size_t tail = std::min(c->text.size(), field.longest);
    for (size_t at = c->text.size() - tail; at < c->text.size(); at++) {
        if (field.ends.check_at(c->text, at) == common_trie::PARTIAL_MATCH) return nullptr;
    }
    return &field;
}

/* Parse all text and give what is new. */
static void parse(struct chat *c, bool partial, chat_piece_fn fn, void *ctx) {
    const size_t from = c->taken;
    c->open = nullptr;
    c->taken = c->text.size();
    common_chat_msg now = common_chat_parse(c->text, partial, c->parser);
    if (now.empty()) return;
    now.set_tool_call_ids(c->call_ids, new_call_id);
    const auto diffs = common_chat_msg_diff::compute_diffs(c->last, now);
    c->last = std::move(now);
    c->open = still_open(c, from, diffs);
    for (const auto &diff : diffs) give_diff(c, diff, fn, ctx);
}

void chat_feed(struct chat *chat, const char *text, size_t len, chat_piece_fn fn, void *ctx) {
    try {
        chat->text.append(text, len);
        const size_t most = MAX_SAVED_PARSES * chat->text.size();
        chat->credit = std::min(chat->credit, most) + CREDIT_PER_PIECE;
        if (chat->open && extend_open(chat, fn, ctx)) return;
        if (chat->credit < chat->text.size()) return;
        chat->credit -= chat->text.size();
        parse(chat, true, fn, ctx);
    } catch (const std::exception &) {
        /* The text so far does not fit (yet); the next piece, or the end, tries again. */
    }
}

/* An answer that does not fit its format is given as it stands, so that nothing is lost. */
void chat_finish(struct chat *chat, bool complete, chat_piece_fn fn, void *ctx) {
    try {
        parse(chat, !complete, fn, ctx);
        announce_calls(chat, SIZE_MAX, fn, ctx);
    } catch (const std::exception &) {
        announce_calls(chat, SIZE_MAX, fn, ctx);
        if (chat->last.empty()) give_content(chat->text, fn, ctx);
    }
}

bool chat_has_calls(const struct chat *chat) {
    return !chat->announced.empty();
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

void chat_shim_quiet(void) {
    common_log_set_verbosity_thold(-1);
}
