/* SPDX-License-Identifier: MIT */
/*
 * The deltas of an answer that comes token by token are those of one parse of all of it, for
 * every template that llama.cpp knows; and a long answer costs no more per token than a short
 * one.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "cmocka_prelude.h"
#include "engine/chat_shim.h"
#include "engine/plan_shim.h"
#include "engine/tokens.h"
#include "templates.h"

enum { MAX_TEXT = 16 << 20, MAX_CALLS = 8 };

#define USER "{\"role\":\"user\",\"content\":\"Weather?\"}"
#define TOOLS                                                                                  \
    "[{\"type\":\"function\",\"function\":{\"name\":\"get_weather\",\"description\":"          \
    "\"Tells\","                                                                               \
    "\"parameters\":{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\"},"      \
    "\"days\":{\"type\":\"integer\"}},\"required\":[\"city\"]}}}]"

/* ---- what the deltas say ---- */

struct said {
    struct buf content, reasoning;
    struct buf names[MAX_CALLS], arguments[MAX_CALLS];
    int calls;
};

static void said_init(struct said *s) {
    s->calls = 0;
    buf_init(&s->content, MAX_TEXT);
    buf_init(&s->reasoning, MAX_TEXT);
    for (int i = 0; i < MAX_CALLS; i++) {
        buf_init(&s->names[i], MAX_TEXT);
        buf_init(&s->arguments[i], MAX_TEXT);
    }
}

static void said_clear(struct said *s) {
    buf_clear(&s->content);
    buf_clear(&s->reasoning);
    for (int i = 0; i < MAX_CALLS; i++) {
        buf_clear(&s->names[i]);
        buf_clear(&s->arguments[i]);
    }
}

static void said_add(void *ctx, const struct chat_piece *piece) {
    struct said *s = ctx;
    assert_true(buf_add_str(&s->content, piece->content));
    assert_true(buf_add_str(&s->reasoning, piece->reasoning));
    if (piece->call < 0) return;
    assert_true(piece->call < MAX_CALLS);
    if (piece->call >= s->calls) s->calls = piece->call + 1;
    assert_true(buf_add_str(&s->names[piece->call], piece->call_name));
    assert_true(buf_add_str(&s->arguments[piece->call], piece->call_arguments));
}

static bool said_nothing(const struct said *s) {
    return s->content.len == 0 && s->reasoning.len == 0 && s->calls == 0;
}

static void assert_same(const char *what, struct said *a, struct said *b) {
    bool same = strcmp(buf_str(&a->content), buf_str(&b->content)) == 0 &&
                strcmp(buf_str(&a->reasoning), buf_str(&b->reasoning)) == 0 &&
                a->calls == b->calls;
    for (int i = 0; same && i < a->calls; i++) {
        same = strcmp(buf_str(&a->names[i]), buf_str(&b->names[i])) == 0 &&
               strcmp(buf_str(&a->arguments[i]), buf_str(&b->arguments[i])) == 0;
    }
    if (same) return;
    fail_msg("%s\n content %s\n     not %s\n reasoning %s\n     not %s\n call %s\n     not %s",
             what, buf_str(&a->content), buf_str(&b->content), buf_str(&a->reasoning),
             buf_str(&b->reasoning), buf_str(&a->arguments[0]), buf_str(&b->arguments[0]));
}

/* ---- answers as templates write them ---- */

/* more: another message, or "". NULL: the template refuses it. */
static struct plan *try_plan(const char *jinja, const char *tools, const char *schema,
                             const char *more) {
    struct error err;
    char *messages = xasprintf("[" USER "%s%s]", *more ? "," : "", more);
    yyjson_doc *doc = json_parse(messages, strlen(messages), &err);
    yyjson_doc *tools_doc = tools ? json_parse(tools, strlen(tools), &err) : NULL;
    struct chat_input input = { .messages = yyjson_doc_get_root(doc),
                                .tools = yyjson_doc_get_root(tools_doc),
                                .schema = schema,
                                .chat_template = jinja,
                                .parallel_tool_calls = -1,
                                .reasoning_budget = -1,
                                .add_generation_prompt = !*more };
    struct plan *plan = plan_new(templates_model.templates, &input, &err);
    if (!plan && !*more) print_message("%s\n", err.text);
    yyjson_doc_free(doc);
    yyjson_doc_free(tools_doc);
    free(messages);
    return plan;
}

/* Marks that end a turn never come as text: the worker stops there. */
static void strip_end(char *text) {
    static const char *const ends[] = { "</s>",         "<|im_end|>",     "<|eot_id|>",
                                        "<|end|>",      "<|endoftext|>",  "<end_of_turn>",
                                        "<turn|>",      "<|eom_id|>",     "<|role_end|>",
                                        "</assistant>", "<|end_of_text|>" };
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        char *end = strstr(text, ends[i]);
        if (end && strlen(end) < strlen(ends[i]) + 3) *end = '\0';
    }
}

/* What the template writes behind its generation prompt for a message of the assistant. The
 * caller frees; NULL: it refuses the message. */
static char *rendered(const char *jinja, const char *tools, const char *message) {
    struct plan *before = try_plan(jinja, tools, NULL, "");
    struct plan *after = try_plan(jinja, tools, NULL, message);
    char *answer = NULL;
    if (before && after) {
        size_t a_len, b_len, n = 0;
        const char *a = plan_prompt(before, &a_len), *b = plan_prompt(after, &b_len);
        while (n < a_len && n < b_len && a[n] == b[n]) n++;
        while (n > 0 && ((unsigned char)b[n] & 0xC0) == 0x80) n--; /* whole characters */
        answer = xstrdup(b + n);
        strip_end(answer);
    }
    if (before) plan_free(before);
    if (after) plan_free(after);
    return answer;
}

/* ---- the property ---- */

struct answer_case {
    const char *name, *jinja, *tools, *schema, *text;
};

static struct chat *new_chat(const struct answer_case *c) {
    struct error err;
    yyjson_mut_val *root;
    yyjson_mut_doc *written = json_object_new(&root);
    struct plan *plan = try_plan(c->jinja, c->tools, c->schema, "");
    assert_non_null(plan);
    plan_write(plan, written, root);
    yyjson_doc *doc = yyjson_mut_doc_imut_copy(written, NULL);
    struct chat *chat = chat_new(yyjson_obj_get(yyjson_doc_get_root(doc), "answer"), &err);
    assert_non_null(chat);
    yyjson_doc_free(doc);
    yyjson_mut_doc_free(written);
    plan_free(plan);
    return chat;
}

static void parse_once(const struct answer_case *c, size_t len, bool finish, struct said *ret) {
    struct chat *chat = new_chat(c);
    said_init(ret);
    chat_feed(chat, c->text, len, said_add, ret);
    if (finish) chat_finish(chat, true, said_add, ret);
    chat_free(chat);
}

/* Whole characters from a token or two on, as output.c gives them. */
static size_t next_cut(const struct tokens *tokens, size_t *at, const char *text, size_t from) {
    struct buf piece = BUF_INIT(1 << 16);
    while (*at < tokens->count) {
        tokens_piece(&piece, templates_model.vocab, tokens->data[(*at)++], true);
        if (((unsigned char)text[from + piece.len] & 0xC0) != 0x80) break;
    }
    size_t cut = from + piece.len;
    buf_clear(&piece);
    return cut;
}

static void check_by_tokens(const struct answer_case *c, struct said *whole) {
    struct tokens tokens = { 0 };
    struct error err;
    struct said stream;
    size_t len = strlen(c->text), from = 0;
    assert_true(tokens_from_text(&tokens, templates_model.vocab, c->text, len,
                                 TOKENS_PARSE_SPECIAL, &err));
    struct chat *chat = new_chat(c);
    said_init(&stream);
    for (size_t at = 0; at < tokens.count;) {
        size_t cut = next_cut(&tokens, &at, c->text, from);
        chat_feed(chat, c->text + from, cut - from, said_add, &stream);
        from = cut;
    }
    assert_int_equal(from, len);
    chat_finish(chat, true, said_add, &stream);
    assert_same(c->name, &stream, whole);
    chat_free(chat);
    said_clear(&stream);
    tokens_clear(&tokens);
}

static size_t end_of_character(const char *text, size_t at) {
    while (((unsigned char)text[at] & 0xC0) == 0x80) at++;
    return at;
}

/* One character at a time: after each, the deltas are those of a parse of the text so far. */
static void check_by_characters(const struct answer_case *c) {
    struct chat *chat = new_chat(c);
    struct said stream, prefix;
    said_init(&stream);
    for (size_t from = 0, to; c->text[from]; from = to) {
        to = end_of_character(c->text, from + 1);
        chat_feed(chat, c->text + from, to - from, said_add, &stream);
        parse_once(c, to, false, &prefix);
        if (!said_nothing(&prefix)) assert_same(c->name, &stream, &prefix);
        said_clear(&prefix);
    }
    chat_free(chat);
    said_clear(&stream);
}

/* In pieces of `size` bytes, or up to 3 more. */
static void check_by_pieces(const struct answer_case *c, size_t size, struct said *whole) {
    struct chat *chat = new_chat(c);
    struct said stream;
    said_init(&stream);
    size_t len = strlen(c->text);
    for (size_t from = 0, to; from < len; from = to) {
        to = end_of_character(c->text, from + size < len ? from + size : len);
        chat_feed(chat, c->text + from, to - from, said_add, &stream);
    }
    chat_finish(chat, true, said_add, &stream);
    assert_same(c->name, &stream, whole);
    chat_free(chat);
    said_clear(&stream);
}

static void check_all_ways(const struct answer_case *c) {
    struct said whole;
    parse_once(c, strlen(c->text), true, &whole);
    check_by_tokens(c, &whole);
    for (size_t size = 2; size < 20; size += size) check_by_pieces(c, size, &whole);
    check_by_characters(c);
    said_clear(&whole);
}

/* ---- every template ---- */

/* Text that looks like the beginning of all kinds of marks, but is none. */
#define TRAPS                                                                                  \
    "If a < b and b<c, <b>umbrellas</b> (k: [1, 2]) [TOOL <tool <|chan \\n\\n"                 \
    "für 東京 funct <think <func ☂ </tool ]<] >> end. "

/* All kinds of text, long enough that not all of it may be parsed at every token. */
static char *long_message(void) {
    struct buf text = BUF_INIT(MAX_TEXT);
    for (int i = 0; i < 20; i++) assert_true(buf_add_str(&text, TRAPS));
    char *message = xasprintf("{\"role\":\"assistant\",\"reasoning_content\":\"I think. %s\","
                              "\"content\":\"Well: %s\",\"tool_calls\":[{\"id\":\"call12345\","
                              "\"type\":\"function\",\"function\":{\"name\":\"get_weather\","
                              "\"arguments\":{\"city\":\"%s\",\"days\":3}}}]}",
                              buf_str(&text), buf_str(&text), buf_str(&text));
    buf_clear(&text);
    return message;
}

/* How many calls the answer holds. */
static int check_template(const char *name, const char *message) {
    char *path = xasprintf(TEMPLATES_DIR "/%s", name), *jinja = templates_read(path);
    char *text = rendered(jinja, TOOLS, message);
    struct said whole = { 0 };
    if (text) {
        struct answer_case c = { .name = name, .jinja = jinja, .tools = TOOLS, .text = text };
        parse_once(&c, strlen(text), true, &whole);
        /* An answer that does not fit its format is given as it stands at its end. */
        if (strcmp(buf_str(&whole.content), text) != 0) check_by_tokens(&c, &whole);
        said_clear(&whole);
    }
    free(path);
    free(jinja);
    free(text);
    return whole.calls;
}

/* A sanitizer makes the library's many small allocations 20 times as slow. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { STEP = 7 };
#else
enum { STEP = 1 };
#endif

static void test_token_by_token_is_all_at_once(void **state) {
    (void)state;
    int templates = 0, calls = 0;
    char *message = long_message();
    DIR *dir = opendir(TEMPLATES_DIR);
    assert_non_null(dir);
    for (struct dirent *d; (d = readdir(dir));) {
        if (!strstr(d->d_name, ".jinja")) continue;
        if (templates++ % STEP == 0) calls += check_template(d->d_name, message);
    }
    closedir(dir);
    free(message);
    print_message("%d templates, %d calls\n", templates, calls);
    assert_true(templates > 60 && calls > 30 / STEP / 2); /* or this checks nothing */
}

/* ---- nothing comes late ---- */

static void check_answer(const char *template, const char *tools, const char *schema,
                         const char *text) {
    char *path = xasprintf(TEMPLATES_DIR "/%s.jinja", template), *jinja = templates_read(path);
    struct answer_case c = {
        .name = template, .jinja = jinja, .tools = tools, .schema = schema, .text = text
    };
    check_all_ways(&c);
    free(path);
    free(jinja);
}

static void test_nothing_comes_late(void **state) {
    (void)state;
    check_answer("Qwen-Qwen3-0.6B", TOOLS, NULL,
                 "<think>\nA <b <</think\n</think>\n\n1 <<tool_call 2 <tool_ l\n<tool_call>\n"
                 "{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Köln\"}}\n"
                 "</tool_call>");
    check_answer("Qwen-Qwen3-0.6B", TOOLS, NULL, "<<<tool_call> b </think> c");
    check_answer("Qwen-Qwen3-0.6B", NULL, NULL, "<<think> so </think>");
    check_answer("openai-gpt-oss-120b", TOOLS, NULL,
                 "<|channel|>analysis<|message|>Hm <|end<|end|><|start|>assistant"
                 "<|channel|>final<|message|>Ja <|en so.");
}

/* A JSON text has no mark that ends it. */
static void test_an_answer_in_json(void **state) {
    (void)state;
    check_answer("Qwen-Qwen3-0.6B", NULL,
                 "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"},"
                 "\"b\":{\"type\":\"array\"}}}",
                 "<think>\nx\n</think>\n\n{\"a\": \"{q\", \"b\": [1.5]}\n");
}

/* ---- what it costs ---- */

static double cpu_seconds(void) {
    struct timespec t;
    assert_int_equal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t), 0);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* us per piece of five bytes, best of three. */
static double cost(const struct answer_case *c, const char *piece, int pieces) {
    double best = 1e9;
    for (int i = 0; i < 3; i++) {
        struct chat *chat = new_chat(c);
        struct said said;
        said_init(&said);
        chat_feed(chat, c->text, strlen(c->text), said_add, &said);
        double begin = cpu_seconds();
        for (int k = 0; k < pieces; k++) chat_feed(chat, piece, strlen(piece), said_add, &said);
        double took = (cpu_seconds() - begin) / pieces * 1e6;
        if (took < best) best = took;
        said_clear(&said);
        chat_free(chat);
    }
    return best;
}

static void check_cost(const char *what, const char *begin, const char *piece) {
    char *jinja = templates_read(TEMPLATES_DIR "/Qwen-Qwen3-0.6B.jinja");
    struct answer_case c = { .name = what, .jinja = jinja, .tools = TOOLS, .text = begin };
    double few = cost(&c, piece, 500), many = cost(&c, piece, 8000);
    print_message("%s: %.1f us per token of 500, %.1f of 8,000\n", what, few, many);
    free(jinja);
    assert_true(many < 2 * few + 5);
}

static void test_a_long_answer_costs_no_more_per_token(void **state) {
    (void)state;
    check_cost("content", "Well, ", "so on");
    check_cost("code", "Well, ", "<td> ");
    check_cost("reasoning", "<think>\nHm, ", "so on");
    if (STEP > 1) return;
    check_cost("arguments",
               "<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"",
               "so on");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_token_by_token_is_all_at_once),
        cmocka_unit_test(test_nothing_comes_late),
        cmocka_unit_test(test_an_answer_in_json),
        cmocka_unit_test(test_a_long_answer_costs_no_more_per_token),
    };
    return cmocka_run_group_tests(tests, templates_open, templates_close);
}
