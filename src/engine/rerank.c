/* SPDX-License-Identifier: MIT */
#include "engine/rerank.h"

#include <math.h>
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"

/* White space aside, no token stands for more bytes than this: what is behind cannot fit. */
enum { TOKEN_MAX_BYTES = 256 };

struct pair {
    const char *query, *document;
    size_t query_len, document_len;
};

static void add_mark(struct tokens *tokens, bool wanted, llama_token mark) {
    if (wanted && mark != LLAMA_TOKEN_NULL) tokens_add(tokens, mark);
}

/* As encoders are trained: the two texts, with the marks that the vocabulary asks for. */
static bool marked_tokens(const struct llama_vocab *vocab, const struct pair *pair,
                          struct tokens *ret, struct error *err) {
    bool ends = llama_vocab_get_add_eos(vocab);
    llama_token separator = llama_vocab_sep(vocab), end = llama_vocab_eos(vocab);
    if (end == LLAMA_TOKEN_NULL) end = separator;
    add_mark(ret, llama_vocab_get_add_bos(vocab), llama_vocab_bos(vocab));
    if (!tokens_from_text(ret, vocab, pair->query, pair->query_len, TOKENS_PLAIN, err))
        return false;
    add_mark(ret, ends, end);
    add_mark(ret, llama_vocab_get_add_sep(vocab), separator);
    if (!tokens_from_text(ret, vocab, pair->document, pair->document_len, TOKENS_PLAIN, err))
        return false;
    add_mark(ret, ends, end);
    return true;
}

/* The template with the texts in their places. False: the buffer is full. */
static bool fill_template(const char *template, const struct pair *pair, struct buf *out) {
    static const char query[] = "{query}", document[] = "{document}";
    bool ok = true;
    while (ok && *template) {
        if (strncmp(template, query, sizeof query - 1) == 0) {
            ok = buf_add(out, pair->query, pair->query_len);
            template += sizeof query - 1;
        } else if (strncmp(template, document, sizeof document - 1) == 0) {
            ok = buf_add(out, pair->document, pair->document_len);
            template += sizeof document - 1;
        } else {
            ok = buf_add(out, template ++, 1);
        }
    }
    return ok;
}

/* As language models are trained that became rankers. */
static bool template_tokens(const struct llama_vocab *vocab, const char *template,
                            const struct pair *pair, struct tokens *ret, struct error *err) {
    size_t most = strlen(template);
    struct buf text = BUF_INIT(most * (1 + pair->query_len + pair->document_len) + 1);
    bool ok = fill_template(template, pair, &text) ||
              error_set(err, ERR_TOO_LARGE, "The query is too long; shorten it.");
    ok = ok &&
         tokens_from_text(ret, vocab, buf_str(&text), text.len, TOKENS_PARSE_SPECIAL, err);
    buf_clear(&text);
    return ok;
}

static bool pair_tokens(const struct model *model, const struct pair *pair, struct tokens *ret,
                        struct error *err) {
    const char *template = llama_model_chat_template(model->weights, "rerank");
    tokens_cut(ret, 0);
    return template ? template_tokens(model->vocab, template, pair, ret, err)
                    : marked_tokens(model->vocab, pair, ret, err);
}

/* Tokens that remain for a document beside the query. */
static bool measure_room(const struct prompt_limits *l, const struct pair *pair,
                         struct tokens *tokens, size_t *ret_room, struct error *err) {
    struct pair empty = *pair;
    empty.document_len = 0;
    if (!pair_tokens(l->model, &empty, tokens, err)) return false;
    if (tokens->count >= l->length) {
        return error_set_param(err, ERR_CONTEXT_LENGTH, "query",
                               "This model's maximum context length is %zu tokens, but the "
                               "query is too long: %zu tokens. Shorten it, or load the model "
                               "with a larger context length.",
                               l->length, tokens->count);
    }
    *ret_room = l->length - tokens->count;
    return true;
}

bool rerank_read_pair(const struct prompt_limits *limits, const struct input *query,
                      const struct input *document, struct tokens *ret, struct error *err) {
    struct pair pair = { query->text, document->text, query->len, document->len };
    size_t room = 0, beside = limits->length;
    if (!measure_room(limits, &pair, ret, &room, err)) return false;
    beside -= room;
    if (pair.document_len / TOKEN_MAX_BYTES > room) pair.document_len = room * TOKEN_MAX_BYTES;
    for (;;) {
        pair.document_len = utf8_whole(pair.document, pair.document_len);
        if (!pair_tokens(limits->model, &pair, ret, err)) return false;
        if (ret->count <= limits->length || pair.document_len == 0) return true;
        size_t fits = pair.document_len * room / (ret->count - beside);
        pair.document_len = fits < pair.document_len ? fits : pair.document_len - 1;
    }
}

/* Heads with one output give a logit. Those with more choose between words, "yes" first, and
 * libllama has made probabilities of them. */
bool rerank_score(const struct model *model, const float *head, float *ret_score,
                  struct error *err) {
    bool logit = llama_model_n_cls_out(model->weights) <= 1;
    float score = logit ? 1 / (1 + expf(-head[0])) : head[0];
    if (!isfinite(score))
        return error_set(err, ERR_INTERNAL, "The model's score of a document is not a number.");
    *ret_score = score;
    return true;
}
