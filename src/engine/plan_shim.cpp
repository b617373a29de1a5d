/* SPDX-License-Identifier: MIT */
#include "engine/plan_shim.h"

#include <cctype>
#include <climits>
#include <cstring>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "common.h"
#include "log.h"

#include "engine/guidance.h"
#include "engine/shim_error.h"
#include "engine/template_apply.h"

extern "C" {
#include "base/utf8.h"
}

struct guidance_error : std::exception {
    struct error error;
    explicit guidance_error(const struct error &e) : error(e) {}
};

struct plan {
    const llama_vocab *vocab;
    common_chat_params params;
    std::set<llama_token> kept;
    bool calls;                        /* there are tools */
    bool one_call;                     /* an answer has one at most */
    bool loose = false;                /* calls need not fit the schema of a strict tool */
    std::vector<std::string> notes;    /* for the log */
    bool continues;                    /* the answer continues the last message */
    std::string guidance;              /* instead of a grammar, or "" */
    std::string unenforced;            /* keywords, where there is guidance */
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

/* Two features need to know where thinking begins and ends: a budget for it, and a grammar
 * that must not be triggered by a tool call inside the thinking. The library's budget sampler
 * knows. Templates without thinking tags have nothing to limit. */
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

/* ---- an answer by llguidance ---- */

/* The template's own parser is told that such an answer is any JSON. */
static const char ANY_JSON[] =
    R"({"type":["object","array","string","number","boolean","null"]})";

/* Calls besides the schema need the template's own format. */
static bool wants_guidance(const struct chat_input *in) {
    const bool calls = in->tools && !(in->tool_choice && !strcmp(in->tool_choice, "none"));
    return guidance_is_there() && in->schema && !in->grammar && !calls;
}

static bool is_text(const llama_vocab *vocab, const std::string &tag) {
    for (llama_token token : common_tokenize(vocab, tag, false, true)) {
        if (llama_vocab_is_control(vocab, token) || llama_vocab_is_eog(vocab, token))
            return false;
    }
    return true;
}

/* Can llguidance do it: the answer is JSON after thinking in text tags, and none of it has
 * been written? */
static bool can_guide(const plan *p) {
    const auto &t = p->params;
    const bool thinks = !t.thinking_start_tag.empty() && !t.thinking_end_tags.empty();
    if (p->continues || t.grammar_lazy || t.grammar.empty()) return false;
    return !thinks || (is_text(p->vocab, t.thinking_start_tag) &&
                       is_text(p->vocab, t.thinking_end_tags[0]));
}

static std::string trimmed(std::string text) {
    while (!text.empty() && std::isspace((unsigned char)text.back())) text.pop_back();
    return text;
}

static void guide(plan *p, const char *schema) {
    const auto &t = p->params;
    const doc_ptr doc(yyjson_read(schema, strlen(schema), 0), yyjson_doc_free);
    const std::string start = trimmed(t.thinking_start_tag);
    const std::string end = t.thinking_end_tags.empty() ? "" : trimmed(t.thinking_end_tags[0]);
    guidance_thinking thinking = { nullptr, nullptr, false };
    const size_t opened = start.empty() ? std::string::npos : t.generation_prompt.rfind(start);
    const bool closed = opened != std::string::npos && !end.empty() &&
                        t.generation_prompt.find(end, opened) != std::string::npos;
    if (!start.empty() && !end.empty() && !closed)
        thinking = { start.c_str(), end.c_str(), opened != std::string::npos };
    struct buf grammar, unenforced;
    struct error err;
    buf_init(&grammar, 4 << 20);
    buf_init(&unenforced, 1024);
    const bool ok = guidance_grammar(p->vocab, yyjson_doc_get_root(doc.get()), &thinking,
                                     &grammar, &unenforced, &err);
    p->guidance.assign(buf_str(&grammar), grammar.len);
    p->unenforced.assign(buf_str(&unenforced), unenforced.len);
    buf_clear(&grammar);
    buf_clear(&unenforced);
    if (!ok) throw guidance_error(err);
}

/* ---- a plan ---- */

/* A model that was not trained on ChatML has no token for its end marker and writes it as
 * text. */
static void add_fallback_stop(plan *p) {
    const std::string mark = "<|im_end|>";
    if (common_tokenize(p->vocab, mark, false, true).size() != 1)
        p->params.additional_stops.push_back(mark);
}

static void apply_to(plan *p, const struct chat_templates *templates,
                     const struct chat_input *input, const std::string &schema) {
    reading r = { templates, input, callable_tools(input), schema, false, {} };
    auto applied = apply_template(r);
    p->notes = std::move(r.notes);
    p->params = std::move(applied.params);
    p->loose = breaks_promise(r, p->params.parser);
    p->continues = applied.continues;
}

static void read_conversation(plan *p, const struct chat_templates *templates,
                              const struct chat_input *input) {
    if (wants_guidance(input)) {
        apply_to(p, templates, input, ANY_JSON);
        if (can_guide(p)) {
            guide(p, input->schema);
            return;
        }
    }
    apply_to(p, templates, input, answer_schema(input));
}

static void refuse_schema(struct error *err, const schema_error &e) {
    error_set_param(err, ERR_INVALID_REQUEST, e.param, "The schema %s cannot be used: %s",
                    e.whose.c_str(), e.what());
}

template <typename Function>
static bool can_read(const char *what, struct error *err, Function read) {
    try {
        (void)read();
        return true;
    } catch (const schema_error &e) {
        refuse_schema(err, e);
    } catch (const std::exception &e) {
        shim_error(err, ERR_INVALID_REQUEST, what, e);
    }
    return false;
}

bool plan_shim_can_use(const char *schema, struct error *err) {
    struct chat_input input = {};
    input.schema = schema;
    return can_read("The schema in 'response_format' cannot be used", err,
                    [&] { return answer_schema(&input); });
}

bool plan_shim_can_call(yyjson_val *tools, struct error *err) {
    struct chat_input input = {};
    input.tools = tools;
    return can_read("The schemas of the tools cannot be used", err,
                    [&] { return callable_tools(&input); });
}

/* May throw what plan_new catches. */
static std::unique_ptr<plan> make_plan(const struct chat_templates *templates,
                                       const struct chat_input *input) {
    auto p = std::make_unique<plan>();
    p->vocab = templates->vocab;
    read_conversation(p.get(), templates, input);
    p->calls = input->tools != nullptr;
    p->one_call = input->parallel_tool_calls == 0;
    if (!templates->caps.explicit_template) add_fallback_stop(p.get());
    for (const auto &text : p->params.preserved_tokens) {
        const auto ids = common_tokenize(p->vocab, text, false, true);
        if (ids.size() == 1) p->kept.insert(ids[0]);
    }
    if (p->guidance.empty()) read_grammar(p.get(), input);
    watch_thinking(p.get(), input);
    return p;
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
        return make_plan(templates, input).release();
    } catch (const guidance_error &e) {
        *err = e.error;
        return nullptr;
    } catch (const schema_error &e) {
        refuse_schema(err, e);
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
    if (!p->guidance.empty())
        yyjson_mut_obj_add_val(doc, obj, "guidance", text_val(doc, p->guidance));
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
    if (!plan->guidance.empty())
        yyjson_mut_obj_add_val(doc, obj, "unenforced", text_val(doc, plan->unenforced));
    if (plan->loose) yyjson_mut_obj_add_true(doc, obj, "loose");
    if (plan->grammar.empty() && plan->guidance.empty() && !plan->watches) return;
    yyjson_mut_obj_add_val(doc, obj, "constraint", constraint_val(plan, doc));
}

/* ---- others ---- */

void plan_shim_quiet(void) {
    common_log_set_verbosity_thold(-1);
}
