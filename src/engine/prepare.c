/* SPDX-License-Identifier: MIT */
#include "engine/prepare.h"

#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

#include "base/json.h"
#include "base/utf8.h"
#include "base/xalloc.h"
#include "engine/guidance.h"
#include "engine/prepared.h"
#include "engine/prompt.h"
#include "engine/reply.h"
#include "engine/rerank.h"

/* An answer on its way to the worker. */
struct reply {
    int type;
    struct buf payload;
};

/* Fits a frame even where JSON escapes every byte ("\u0001"). */
enum { REPORT_MAX_PROMPT = FRAME_MAX_TO_DAEMON / 8 };

/* ---- what needs no slot ---- */

static void add_pieces(yyjson_mut_doc *doc, yyjson_mut_val *result,
                       const struct llama_vocab *vocab, const struct tokens *tokens) {
    yyjson_mut_val *pieces = yyjson_mut_obj_add_arr(doc, result, "pieces");
    for (size_t i = 0; i < tokens->count; i++) {
        struct buf piece = BUF_INIT(1 << 20), text = BUF_INIT(3 << 20);
        tokens_piece(&piece, vocab, tokens->data[i], true);
        (void)utf8_repair(&text, buf_str(&piece), piece.len);
        yyjson_mut_arr_add_strncpy(doc, pieces, buf_str(&text), text.len);
        buf_clear(&piece);
        buf_clear(&text);
    }
}

static bool tokenize(const struct prompt_limits *l, const struct request *r,
                     struct reply *reply, struct error *err) {
    const struct llama_vocab *vocab = l->model->vocab;
    struct tokens tokens = { 0 };
    unsigned marks = (r->add_special ? TOKENS_ADD_SPECIAL : TOKENS_PLAIN) |
                     (r->parse_special ? TOKENS_PARSE_SPECIAL : TOKENS_PLAIN);
    bool ok = tokens_from_text(&tokens, vocab, r->inputs->text, r->inputs->len, marks, err);
    if (ok) {
        yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
        yyjson_mut_val *result = yyjson_mut_obj(doc);
        yyjson_mut_obj_add_val(doc, result, "tokens",
                               yyjson_mut_arr_with_sint32(doc, tokens.data, tokens.count));
        if (r->pieces) add_pieces(doc, result, vocab, &tokens);
        ok = reply_format_result(&reply->payload, doc, result, err);
    }
    tokens_clear(&tokens);
    return ok;
}

/* The token's text; "" for a token that the model does not have. */
static struct buf mark_text(const struct llama_vocab *vocab, llama_token token) {
    struct buf text = BUF_INIT(1 << 16);
    if (token != LLAMA_TOKEN_NULL) tokens_piece(&text, vocab, token, true);
    return text;
}

/* Templates leave out the marks that the tokenizer adds anyway. wanted: written all the same
 * (1), or left out, even where the template has them (0). */
static void write_marked(const struct llama_vocab *vocab, const struct request *r,
                         const char *prompt, size_t len, struct buf *out) {
    struct buf bos = mark_text(vocab, llama_vocab_bos(vocab));
    struct buf eos = mark_text(vocab, llama_vocab_eos(vocab));
    bool begins = bos.len > 0 && len >= bos.len && memcmp(prompt, bos.data, bos.len) == 0;
    if (r->bos == 0 && begins) {
        prompt += bos.len;
        len -= bos.len;
    }
    bool ends = eos.len > 0 && len >= eos.len &&
                memcmp(prompt + len - eos.len, eos.data, eos.len) == 0;
    if (r->eos == 0 && ends) len -= eos.len;
    if (r->bos == 1 && !begins && llama_vocab_get_add_bos(vocab))
        (void)buf_add(out, buf_str(&bos), bos.len);
    (void)buf_add(out, prompt, len);
    if (r->eos == 1 && !ends && llama_vocab_get_add_eos(vocab))
        (void)buf_add(out, buf_str(&eos), eos.len);
    buf_clear(&bos);
    buf_clear(&eos);
}

/* As people may read it. */
static struct buf shown_prompt(const struct prompt_limits *l, const struct plan *plan) {
    size_t len = 0;
    const char *prompt = plan_prompt(plan, &len);
    struct buf shown = BUF_INIT(len);
    if (l->pictures)
        picture_prompt_show(l->pictures, prompt, len, &shown);
    else
        (void)buf_add(&shown, prompt, len);
    return shown;
}

static bool reply_templated(const struct prompt_limits *l, const struct request *r,
                            const struct plan *plan, struct reply *reply, struct error *err) {
    struct buf shown = shown_prompt(l, plan), text = BUF_INIT(shown.len + (2 << 16));
    write_marked(l->model->vocab, r, buf_str(&shown), shown.len, &text);
    buf_clear(&shown);
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *result = yyjson_mut_obj(doc);
    yyjson_mut_obj_add_strncpy(doc, result, "prompt", buf_str(&text), text.len);
    buf_clear(&text);
    return reply_format_result(&reply->payload, doc, result, err);
}

static bool reply_token_count(const struct prompt_limits *l, const struct plan *plan,
                              struct reply *reply, struct error *err) {
    struct tokens tokens = { 0 };
    bool ok = prompt_of_plan(l, plan, &tokens, err);
    if (ok) {
        yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
        yyjson_mut_val *result = yyjson_mut_obj(doc);
        yyjson_mut_obj_add_uint(doc, result, "tokens", tokens.count);
        ok = reply_format_result(&reply->payload, doc, result, err);
    }
    tokens_clear(&tokens);
    return ok;
}

static bool apply_template(const struct prompt_limits *l, const struct request *r,
                           struct reply *reply, struct error *err) {
    struct plan *plan = prompt_plan(l, &r->chat, err);
    if (!plan) return false;
    bool ok = r->count ? reply_token_count(l, plan, reply, err)
                       : reply_templated(l, r, plan, reply, err);
    plan_free(plan);
    return ok;
}

/* ---- what is for a slot ---- */

static void add_prompt(const struct prompt_limits *l, yyjson_mut_doc *doc, yyjson_mut_val *root,
                       const struct plan *plan) {
    struct buf shown = shown_prompt(l, plan), text = BUF_INIT(3 * shown.len);
    if (shown.len <= REPORT_MAX_PROMPT) {
        (void)utf8_repair(&text, buf_str(&shown), shown.len);
        yyjson_mut_obj_add_strncpy(doc, root, "prompt", buf_str(&text), text.len);
    }
    buf_clear(&text);
    buf_clear(&shown);
}

/* Refuse a grammar that cannot be read before the answer begins. own: it is the request's. */
static bool check_constraint(const struct model *model, const char *plan, size_t len, bool own,
                             struct error *err) {
    yyjson_doc *doc = json_parse(plan, len, err);
    if (!doc) return false;
    yyjson_val *rules = yyjson_obj_get(yyjson_doc_get_root(doc), "constraint");
    struct constraint *constraint = rules ? constraint_new(model->vocab, rules, err) : NULL;
    bool ok = !rules || constraint;
    if (constraint) constraint_free(constraint);
    yyjson_doc_free(doc);
    if (!ok && own)
        return error_set_param(err, ERR_INVALID_REQUEST, "grammar",
                               "The grammar of the request cannot be used: it cannot be read, "
                               "or is none.");
    return ok;
}

/* Append the document, and free it. */
static bool add_document(const struct prompt_limits *l, const struct request *r,
                         yyjson_mut_doc *doc, struct reply *reply, struct error *err) {
    size_t before = reply->payload.len;
    bool ok = json_write(doc, &reply->payload) ||
              error_set(err, ERR_TOO_LARGE, "The request becomes too large; shorten it.");
    yyjson_mut_doc_free(doc);
    return ok && check_constraint(l->model, reply->payload.data + before,
                                  reply->payload.len - before, r->chat.grammar, err);
}

static bool add_plan(const struct prompt_limits *l, const struct request *r,
                     const struct plan *plan, struct reply *reply, struct error *err) {
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    plan_write(plan, doc, root);
    if (r->report_prompt) add_prompt(l, doc, root, plan);
    return add_document(l, r, doc, reply, err);
}

/* Of a completion: its grammar is all there is to it. */
static bool add_grammar(const struct prompt_limits *l, const struct request *r,
                        struct reply *reply, struct error *err) {
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    if (r->chat.grammar) {
        yyjson_mut_val *rules = yyjson_mut_obj_add_obj(doc, root, "constraint");
        yyjson_mut_obj_add_str(doc, rules, "grammar", r->chat.grammar);
    }
    return add_document(l, r, doc, reply, err);
}

static bool add_list(struct reply *reply, const struct tokens *tokens, struct error *err) {
    return prepared_add(&reply->payload, tokens->data, tokens->count) ||
           error_set(err, ERR_TOO_LARGE, "The request becomes too large; shorten it.");
}

static bool add_spans(const struct prompt_limits *l, struct reply *reply, struct error *err) {
    static const struct picture_spans none;
    const struct picture_spans *spans = l->pictures ? &l->pictures->spans : &none;
    return prepared_add_spans(&reply->payload, spans) ||
           error_set(err, ERR_TOO_LARGE, "The request becomes too large; shorten it.");
}

static bool generate(const struct prompt_limits *l, const struct request *r,
                     struct reply *reply, struct error *err) {
    struct tokens tokens = { 0 };
    struct plan *plan = NULL;
    bool chat = r->op == REQUEST_CHAT;
    reply->type = PREPARE_PREPARED;
    if (chat) plan = prompt_plan(l, &r->chat, err);
    bool ok = (plan || !chat) && prompt_read(l, r, plan, &tokens, err) &&
              add_list(reply, &tokens, err) && add_spans(l, reply, err) &&
              (chat ? add_plan(l, r, plan, reply, err) : add_grammar(l, r, reply, err));
    plan_free(plan);
    tokens_clear(&tokens);
    return ok;
}

static bool embed(const struct prompt_limits *l, const struct request *r, struct reply *reply,
                  struct error *err) {
    struct tokens tokens = { 0 };
    bool ok = !l->model->ranks ||
              error_set(err, ERR_NOT_SUPPORTED,
                        "This model ranks documents and makes no embeddings; use an embedding "
                        "model.");
    reply->type = PREPARE_PREPARED;
    for (size_t i = 0; ok && i < r->input_count; i++) {
        ok = prompt_read_input(l, &r->inputs[i], r->truncate, &tokens, err) &&
             add_list(reply, &tokens, err);
    }
    tokens_clear(&tokens);
    return ok;
}

static bool rank(const struct prompt_limits *l, const struct request *r, struct reply *reply,
                 struct error *err) {
    struct tokens tokens = { 0 };
    bool ok = l->model->ranks || error_set(err, ERR_NOT_SUPPORTED,
                                           "This model cannot rank documents; use a reranker.");
    reply->type = PREPARE_PREPARED;
    for (size_t i = 0; ok && i < r->input_count; i++) {
        ok = rerank_read_pair(l, &r->query, &r->inputs[i], &tokens, err) &&
             add_list(reply, &tokens, err);
    }
    tokens_clear(&tokens);
    return ok;
}

static bool (*const operations[])(const struct prompt_limits *, const struct request *,
                                  struct reply *, struct error *) = {
    [REQUEST_CHAT] = generate,     [REQUEST_COMPLETION] = generate,
    [REQUEST_EMBEDDING] = embed,   [REQUEST_RERANK] = rank,
    [REQUEST_TOKENIZE] = tokenize, [REQUEST_TEMPLATE] = apply_template,
};

/* ---- frames ---- */

static void send_reply(struct preparer_self *self, struct reply *reply, bool last) {
    preparer_write(self, reply->type, last, buf_str(&reply->payload), reply->payload.len);
    buf_clear(&reply->payload);
}

static void refuse(struct reply *reply, const struct error *err) {
    buf_reset(&reply->payload);
    reply->type = PREPARE_REFUSED;
    reply_format_error(&reply->payload, err);
}

/* A template or grammar of the request, and pictures, may have changed this process in any
 * way. */
static bool brings_code(const struct request *r) {
    return r->chat.chat_template || r->chat.grammar || r->chat.picture_count > 0;
}

static bool operate(const struct prompt_limits *limits, const struct request *r,
                    struct reply *reply, struct error *err) {
    struct prompt_limits l = *limits;
    struct picture_prompt pictures = { 0 };
    if (r->chat.picture_count > 0) {
        if (!picture_prompt_begin(&pictures, l.model, &r->chat, err)) return false;
        l.pictures = &pictures;
    }
    bool ok = operations[r->op](&l, r, reply, err);
    picture_prompt_clear(&pictures);
    return ok;
}

static bool work(const struct model *model, const struct frame *f, struct reply *reply,
                 bool *ret_last, struct error *err) {
    uint32_t length;
    struct request request;
    memcpy(&length, f->payload, sizeof length);
    struct prompt_limits limits = { .model = model, .length = length };
    if (!request_parse(&request, f->payload + sizeof length, f->len - sizeof length,
                       &model->sampling, model->vocab_size, err)) {
        return false;
    }
    *ret_last = brings_code(&request);
    bool ok = operate(&limits, &request, reply, err);
    request_clear(&request);
    return ok;
}

static bool take_request(const struct prepare_rules *rules, struct preparer_self *self,
                         const struct frame *f) {
    struct error err;
    struct reply reply = { .type = PREPARE_RESULT, .payload = BUF_INIT(FRAME_MAX_TO_WORKER) };
    bool last = false;
    preparer_work_begins(rules->limit_ms);
    if (!work(rules->model, f, &reply, &last, &err)) refuse(&reply, &err);
    if (!preparer_work_ended() || guidance_warmed_here()) last = true;
    send_reply(self, &reply, last);
    return !last;
}

static void answer_try(struct preparer_self *self, struct constraint *constraint,
                       const struct frame *f, size_t vocab_size) {
    int32_t token;
    memcpy(&token, f->payload, sizeof token);
    preparer_work_begins(PREPARE_TOKEN_MS);
    bool allowed = constraint_accept(constraint, token);
    size_t size = allowed ? 0 : mask_size(vocab_size);
    unsigned char *mask = xcalloc(size + 1, 1);
    if (!allowed) constraint_mask(constraint, mask);
    (void)preparer_work_ended();
    preparer_write(self, PREPARE_TRIED, false, mask, size);
    free(mask);
}

static struct constraint *take_rules(const struct prepare_rules *rules,
                                     struct preparer_self *self, const struct frame *f) {
    struct error err;
    struct reply reply = { .type = PREPARE_TRIED, .payload = BUF_INIT(4096) };
    preparer_work_begins(rules->limit_ms);
    yyjson_doc *doc = json_parse(f->payload, f->len, &err);
    struct constraint *constraint =
        doc ? constraint_new(rules->model->vocab, yyjson_doc_get_root(doc), &err) : NULL;
    yyjson_doc_free(doc);
    (void)preparer_work_ended();
    if (!constraint) refuse(&reply, &err);
    send_reply(self, &reply, false);
    return constraint;
}

/* False: the process ends. */
static bool obey(const struct prepare_rules *rules, struct preparer_self *self,
                 const struct frame *f, struct constraint **constraint) {
    switch (f->type) {
    case PREPARE_REQUEST:
        return take_request(rules, self, f);
    case PREPARE_CONSTRAINT:
        constraint_free(*constraint);
        *constraint = take_rules(rules, self, f);
        return true;
    case PREPARE_TRY:
        if (*constraint) answer_try(self, *constraint, f, (size_t)rules->model->vocab_size);
        return true;
    case PREPARE_ACCEPT: {
        int32_t token;
        memcpy(&token, f->payload, sizeof token);
        preparer_work_begins(PREPARE_TOKEN_MS);
        if (*constraint) (void)constraint_accept(*constraint, token);
        (void)preparer_work_ended();
        return true;
    }
    default:
        return false;
    }
}

void prepare_warm(void *ctx) {
    const struct prepare_rules *rules = ctx;
    guidance_warm(rules->model->vocab);
}

void prepare_serve(void *ctx, struct preparer_self *self) {
    const struct prepare_rules *rules = ctx;
    struct constraint *constraint = NULL;
    struct frame frame;
    while (preparer_read(self, &frame) && obey(rules, self, &frame, &constraint)) continue;
}
