/* SPDX-License-Identifier: MIT */
#include "engine/guidance.h"

#include <llguidance.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "engine/guidance_schema.h"
#include "engine/prepared.h"
#include "engine/tokens.h"

/* Limits of a grammar: the first two are for one token, the third is for an answer. */
enum { ITEMS_IN_ROW_MAX = 20000, LEXER_STATES_MAX = 50000, MESSAGE_MAX = 4096 };

/* The library tells by this byte that a token is no text. */
enum { NO_TEXT = 0xff };

bool guidance_is_there(void) {
    return true;
}

/* ---- the vocabulary ---- */

static struct {
    LlgTokenizer *tokenizer;
    pid_t made_by;
} shared;

struct pieces {
    struct buf bytes;
    uint32_t *lens;
    LlgToken *ends; /* tokens that end an answer */
    uint32_t end_count;
};

static void add_piece(struct pieces *p, const struct llama_vocab *vocab, llama_token token) {
    static const char mark = (char)NO_TEXT;
    size_t before = p->bytes.len;
    bool end = llama_vocab_is_eog(vocab, token);
    if (end || llama_vocab_is_control(vocab, token)) (void)buf_add(&p->bytes, &mark, 1);
    if (end) p->ends[p->end_count++] = (LlgToken)token;
    tokens_piece(&p->bytes, vocab, token, true);
    p->lens[token] = (uint32_t)(p->bytes.len - before);
}

static LlgTokenizer *tokenizer_of(const struct pieces *p, uint32_t count) {
    LlgTokenizerInitV2 init = { 0 };
    char message[MESSAGE_MAX];
    init.struct_size = sizeof init;
    init.vocab_size = count;
    init.tok_eos = p->end_count > 0 ? p->ends[0] : 0;
    init.token_lens = p->lens;
    init.token_bytes = (const uint8_t *)buf_str(&p->bytes);
    /* Only to cut what the grammar forces, and nothing is done with that. */
    init.use_approximate_greedy_tokenize_fn = true;
    init.tok_eos_extra = p->end_count > 1 ? p->ends + 1 : NULL;
    init.tok_eos_extra_count = p->end_count > 1 ? p->end_count - 1 : 0;
    return llg_new_tokenizer_v2(&init, message, sizeof message);
}

/* The last of all bytes is in no text: it is the end. */
static void add_byte(struct pieces *p, llama_token token) {
    const char byte = (char)token;
    if (token == NO_TEXT) p->ends[p->end_count++] = (LlgToken)token;
    (void)buf_add(&p->bytes, &byte, 1);
    p->lens[token] = 1;
}

void guidance_warm(const struct llama_vocab *vocab) {
    if (shared.tokenizer) return;
    int32_t count = vocab ? llama_vocab_n_tokens(vocab) : NO_TEXT + 1;
    struct pieces p = { .bytes = BUF_INIT(1 << 30) };
    p.lens = xcalloc((size_t)count, sizeof *p.lens);
    p.ends = xcalloc((size_t)count, sizeof *p.ends);
    for (llama_token token = 0; token < count; token++) {
        if (vocab)
            add_piece(&p, vocab, token);
        else
            add_byte(&p, token);
    }
    shared.tokenizer = tokenizer_of(&p, (uint32_t)count);
    shared.made_by = getpid();
    buf_clear(&p.bytes);
    free(p.lens);
    free(p.ends);
}

bool guidance_warmed_here(void) {
    return shared.tokenizer && shared.made_by == getpid();
}

static bool begin(const struct llama_vocab *vocab, LlgConstraintInit *ret, struct error *err) {
    guidance_warm(vocab);
    if (!shared.tokenizer)
        return error_set(err, ERR_NOT_SUPPORTED,
                         "This model's vocabulary cannot be used for structured output.");
    llg_constraint_init_set_defaults(ret, shared.tokenizer);
    ret->log_buffer_level = 0;
    ret->log_stderr_level = 0;
    ret->ff_tokens_ok = false;
    ret->backtrack_ok = false;
    ret->limits.max_items_in_row = ITEMS_IN_ROW_MAX;
    ret->limits.max_lexer_states = LEXER_STATES_MAX;
    ret->limits.verbose_errors = false;
    return true;
}

/* ---- a grammar ---- */

/* As text of a regular expression. */
static void add_escaped(struct buf *out, const char *text) {
    for (; *text; text++) {
        bool plain = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') ||
                     (*text >= '0' && *text <= '9') || (*text & 0x80) || *text == '_';
        buf_addf(out, plain ? "%c" : "\\x%02x", (unsigned char)*text);
    }
}

/* In the language that the library calls Lark. */
static void add_thinking(struct buf *out, const struct guidance_thinking *t) {
    if (!t->end) {
        buf_add_str(out, "start: answer\n");
        return;
    }
    buf_add_str(out, t->open ? "start: thought space? answer\n"
                             : "start: answer | begun thought space? answer\n");
    if (!t->open) {
        buf_add_str(out, "begun: /");
        add_escaped(out, t->start);
        buf_add_str(out, "/\n");
    }
    buf_add_str(out, "thought[lazy]: /(.|\\n)*");
    add_escaped(out, t->end);
    buf_add_str(out, "/\nspace: /[ \\t\\r\\n]{1,8}/\n");
}

/* The keywords in a warning of the library. It names only keywords of schemas, nothing that a
 * client made up. */
static void name_warned(struct buf *names, const char *message) {
    static const struct {
        const char *words, *keyword;
    } known[] = { { "Unknown format", "format" },
                  { "oneOf constraints", "oneOf" },
                  { "oneOf not", "oneOf" },
                  { "min/maxProperties", "minProperties" },
                  { "min/maxProperties", "maxProperties" } };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strstr(message, known[i].words))
            guidance_name_keyword(names, known[i].keyword, strlen(known[i].keyword));
    }
    static const char list[] = "Unimplemented keys: [";
    while ((message = strstr(message, list))) {
        message += strlen(list);
        while (*message == '"') {
            size_t len = strcspn(++message, "\"");
            guidance_name_keyword(names, message, len);
            message += len + (message[len] != '\0');
            message += strspn(message, ", ");
        }
    }
}

struct attempt {
    LlgConstraintInit init;
    yyjson_val *schema;
    const struct guidance_thinking *thinking;
    char message[MESSAGE_MAX]; /* the library's, or what is wrong with the schema */
};

/* -1: the library refuses it; 1: it has warned. */
static int try_schema(struct attempt *a, const struct buf *schema, struct buf *out) {
    buf_reset(out);
    add_thinking(out, a->thinking);
    buf_add_str(out, "answer: %json ");
    (void)buf_add(out, buf_str(schema), schema->len);
    buf_add_str(out, "\n");
    a->message[0] = '\0';
    return llg_validate_grammar(&a->init, "lark", buf_str(out), a->message, MESSAGE_MAX);
}

static bool write_grammar(struct attempt *a, enum schema_care care, struct buf *ret,
                          struct buf *names) {
    struct buf text = BUF_INIT(SCHEMA_MAX);
    struct error err;
    buf_reset(names);
    bool ok = guidance_schema_write(a->schema, care, &text, names, &err);
    if (ok) {
        int verdict = try_schema(a, &text, ret);
        ok = verdict >= 0;
        if (verdict > 0) name_warned(names, a->message);
    } else {
        (void)snprintf(a->message, sizeof a->message, "%s", err.text);
    }
    buf_clear(&text);
    return ok;
}

/* Does exactly one of several schemas hold to the letter, or only because objects were closed,
 * which makes others hold less often? */
static void check_one_of(struct attempt *a, const char *grammar, struct buf *names) {
    if (!strstr(grammar, "\"oneOf\"")) return;
    struct buf text = BUF_INIT(SCHEMA_MAX), letter = BUF_INIT(4 << 20),
               ignored = BUF_INIT(1024);
    struct error err;
    bool ok = guidance_schema_write(a->schema, SCHEMA_LETTER, &text, &ignored, &err);
    int verdict = ok ? try_schema(a, &text, &letter) : -1;
    if (verdict < 0 || (verdict > 0 && strstr(a->message, "oneOf")))
        guidance_name_keyword(names, "oneOf", strlen("oneOf"));
    buf_clear(&ignored);
    buf_clear(&letter);
    buf_clear(&text);
}

bool guidance_grammar(const struct llama_vocab *vocab, yyjson_val *schema,
                      const struct guidance_thinking *thinking, struct buf *ret_grammar,
                      struct buf *ret_unenforced, struct error *err) {
    struct attempt a = { .schema = schema, .thinking = thinking };
    if (!begin(vocab, &a.init, err)) return false;
    for (enum schema_care care = SCHEMA_STRICT; care < SCHEMA_CARES; care++) {
        if (!write_grammar(&a, care, ret_grammar, ret_unenforced)) continue;
        check_one_of(&a, buf_str(ret_grammar), ret_unenforced);
        return true;
    }
    /* Without the position in the library's own text, which means nothing to a client. */
    static const char place[] = "failed to compile JSON schema: ";
    const char *why = strstr(a.message, place);
    why = why ? why + strlen(place) : a.message;
    return error_set_param(err, ERR_INVALID_REQUEST, "response_format",
                           "The schema in 'response_format' cannot be used: %.*s",
                           (int)strcspn(why, "\n"), why);
}

/* ---- one answer ---- */

struct guidance {
    const struct llama_vocab *vocab;
    LlgMatcher *matcher;
    uint32_t *mask;
    size_t mask_bytes;
};

struct guidance *guidance_new(const struct llama_vocab *vocab, const char *grammar,
                              struct error *err) {
    LlgConstraintInit init;
    if (!begin(vocab, &init, err)) return NULL;
    LlgMatcher *matcher = llg_new_matcher(&init, "lark", grammar);
    const char *complaint = llg_matcher_get_error(matcher);
    if (complaint) {
        (void)error_set_param(err, ERR_INVALID_REQUEST, "response_format",
                              "The schema in 'response_format' cannot be used: %.*s",
                              (int)strcspn(complaint, "\n"), complaint);
        llg_free_matcher(matcher);
        return NULL;
    }
    struct guidance *g = xcalloc(1, sizeof *g);
    g->vocab = vocab;
    g->matcher = matcher;
    g->mask_bytes = llg_matcher_get_mask_byte_size(matcher);
    g->mask = xcalloc(1, g->mask_bytes);
    return g;
}

void guidance_free(struct guidance *g) {
    if (!g) return;
    llg_free_matcher(g->matcher);
    free(g->mask);
    free(g);
}

static bool is_whole(struct guidance *g) {
    return !llg_matcher_is_error(g->matcher) &&
           (llg_matcher_is_stopped(g->matcher) || llg_matcher_is_accepting(g->matcher));
}

bool guidance_allows(struct guidance *g, llama_token token) {
    const uint32_t one = (uint32_t)token;
    if (llama_vocab_is_eog(g->vocab, token)) return is_whole(g);
    return !llg_matcher_is_stopped(g->matcher) &&
           llg_matcher_validate_tokens(g->matcher, &one, 1) == 1;
}

/* A token that ends the answer would end the library's state for good. */
void guidance_accept(struct guidance *g, llama_token token) {
    if (llama_vocab_is_eog(g->vocab, token)) return;
    (void)!llg_matcher_consume_token(g->matcher, (uint32_t)token);
}

const unsigned char *guidance_mask(struct guidance *g) {
    unsigned char *bits = (unsigned char *)g->mask;
    memset(g->mask, 0, g->mask_bytes);
    if (!llg_matcher_is_stopped(g->matcher) &&
        llg_matcher_compute_mask_into(g->matcher, g->mask, g->mask_bytes) != 0)
        return NULL;
    if (llg_matcher_is_error(g->matcher)) return NULL;
    bool whole = is_whole(g);
    for (llama_token token = 0; token < llama_vocab_n_tokens(g->vocab); token++) {
        if (!llama_vocab_is_eog(g->vocab, token)) continue;
        bits[token / 8] &= (unsigned char)~(1U << token % 8);
        if (whole) mask_set(bits, (size_t)token);
    }
    return bits;
}
