/* SPDX-License-Identifier: MIT */
#include "engine/chat_shim.h"

#include <algorithm>
#include <memory>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "chat.h"
#include "common.h"
#include "trie.h"

/* A field of the format: plain text up to one of several marks. */
struct plain_field {
    bool known = true; /* false: it is not always ended by a mark, as JSON is not */
    common_trie ends;
    size_t longest = 0; /* bytes of the longest mark */
};

struct chat {
    common_chat_parser_params parser;
    std::set<llama_token> kept;
    std::vector<std::string> stops;
    std::string text;      /* of the answer so far */
    common_chat_msg begun; /* by the client, whose message the answer continues */
    common_chat_msg last;
    plain_field content, reasoning;
    const plain_field *open = nullptr; /* the field that takes plain text now */
    size_t taken = 0;  /* bytes of `text` that were parsed, or given to the open field */
    size_t credit = 0; /* bytes that may be parsed */
    std::vector<std::string> call_ids;
    std::set<size_t> announced; /* calls whose name has been given */
    size_t most_calls = SIZE_MAX;
    bool over = false; /* one more call has begun */
};

/* ---- where plain text ends ---- */

/* The marks up to which the parser `id` reads; NULL: it does not read like that. Rules may
 * refer to one another in a circle. */
static const std::vector<std::string> *marks_of(const common_peg_arena &arena, size_t id) {
    for (size_t steps = 0; steps < arena.size(); steps++) {
        const auto &parser = arena.get(id);
        if (const auto *until = std::get_if<common_peg_until_parser>(&parser)) {
            return &until->delimiters;
        }
        const auto *rule = std::get_if<common_peg_rule_parser>(&parser);
        if (!rule) return nullptr;
        id = rule->child;
    }
    return nullptr;
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

/* The plain fields of the format. A format without a parser has only content. */
static void read_fields(struct chat *c) {
    const common_peg_arena &arena = c->parser.parser;
    for (size_t id = 0; id < arena.size(); id++) {
        const auto *tag = std::get_if<common_peg_tag_parser>(&arena.get(id));
        if (!tag) continue;
        if (tag->tag == "content") add_marks(c->content, marks_of(arena, tag->child));
        if (tag->tag == "reasoning") add_marks(c->reasoning, marks_of(arena, tag->child));
    }
}

/* ---- an answer ---- */

static std::string text_of(yyjson_val *val) {
    const char *text = yyjson_get_str(val);
    return text ? std::string(text, yyjson_get_len(val)) : std::string();
}

static void read_format(struct chat *c, yyjson_val *answer) {
    const std::string parser = text_of(yyjson_obj_get(answer, "parser"));
    const int format = yyjson_get_int(yyjson_obj_get(answer, "format"));
    if (format < 0 || format >= COMMON_CHAT_FORMAT_COUNT)
        throw std::invalid_argument("unknown format");
    c->parser.format = (common_chat_format)format;
    c->parser.generation_prompt = text_of(yyjson_obj_get(answer, "generation_prompt"));
    c->parser.reasoning_format = COMMON_REASONING_FORMAT_DEEPSEEK; /* as its own field */
    if (yyjson_get_bool(yyjson_obj_get(answer, "one_call"))) c->most_calls = 1;
    c->parser.parse_tool_calls = yyjson_get_bool(yyjson_obj_get(answer, "calls"));
    if (!parser.empty()) c->parser.parser.load(parser);
    read_fields(c);
}

struct chat *chat_new(yyjson_val *answer, struct error *err) {
    try {
        size_t i, count;
        yyjson_val *val;
        auto c = std::make_unique<chat>();
        read_format(c.get(), answer);
        yyjson_arr_foreach(yyjson_obj_get(answer, "kept"), i, count, val)
            c->kept.insert(yyjson_get_int(val));
        yyjson_arr_foreach(yyjson_obj_get(answer, "stops"), i, count, val)
            c->stops.push_back(text_of(val));
        if (yyjson_get_bool(yyjson_obj_get(answer, "continues")))
            c->last = c->begun = common_chat_parse("", true, c->parser);
        return c.release();
    } catch (const std::exception &e) {
        error_set(err, ERR_INTERNAL, "The format of the answer cannot be read: %s", e.what());
        return nullptr;
    }
}

void chat_free(struct chat *chat) {
    delete chat;
}

const char *chat_stop(const struct chat *chat, size_t index) {
    return index < chat->stops.size() ? chat->stops[index].c_str() : nullptr;
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
    if (index >= c->most_calls) {
        c->over = true;
        return;
    }
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

/* Most credit that a plain field saves up, in parses of everything: the end of a field needs a
 * few at once. */
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

/* False: there is a mark, so the text has to be parsed. */
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

/* An answer that does not fit its format is given unparsed, so that nothing is lost. */
void chat_finish(struct chat *chat, bool complete, chat_piece_fn fn, void *ctx) {
    try {
        parse(chat, !complete, fn, ctx);
        announce_calls(chat, SIZE_MAX, fn, ctx);
    } catch (const std::exception &) {
        announce_calls(chat, SIZE_MAX, fn, ctx);
        if (chat->last == chat->begun) give_content(chat->text, fn, ctx);
    }
}

bool chat_is_over(const struct chat *chat) {
    return chat->over;
}

bool chat_has_calls(const struct chat *chat) {
    return !chat->announced.empty();
}
