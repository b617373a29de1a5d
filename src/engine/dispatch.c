/* SPDX-License-Identifier: MIT */
#include "engine/dispatch.h"

#include <string.h>
#include <yyjson.h>

#include "base/utf8.h"
#include "engine/reply.h"

/* ---- operations that need no slot ---- */

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

static bool tokenize(struct engine *e, uint64_t id, struct request *r, struct error *err) {
    const struct llama_vocab *vocab = e->model.vocab;
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
        reply_result(&e->link, id, doc, result);
    }
    tokens_clear(&tokens);
    request_clear(r);
    return ok;
}

/* The token's text; "" for a token that the model does not have. */
static struct buf mark_text(const struct llama_vocab *vocab, llama_token token) {
    struct buf text = BUF_INIT(1 << 16);
    if (token != LLAMA_TOKEN_NULL) tokens_piece(&text, vocab, token, true);
    return text;
}

/* Templates leave out the marks that the tokenizer adds anyway. wanted: written all the same
 * (1), or left out whoever adds them (0). */
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

static void reply_templated(struct engine *e, uint64_t id, const struct request *r,
                            const struct chat *chat) {
    size_t len = 0;
    const char *prompt = chat_prompt(chat, &len);
    struct buf text = BUF_INIT(len + (2 << 16));
    write_marked(e->model.vocab, r, prompt, len, &text);
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *result = yyjson_mut_obj(doc);
    yyjson_mut_obj_add_strncpy(doc, result, "prompt", buf_str(&text), text.len);
    reply_result(&e->link, id, doc, result);
    buf_clear(&text);
}

static bool reply_token_count(struct engine *e, uint64_t id, const struct chat *chat,
                              struct error *err) {
    struct tokens tokens = { 0 };
    bool ok = job_chat_tokens(e, chat, &tokens, err);
    if (ok) {
        yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
        yyjson_mut_val *result = yyjson_mut_obj(doc);
        yyjson_mut_obj_add_uint(doc, result, "tokens", tokens.count);
        reply_result(&e->link, id, doc, result);
    }
    tokens_clear(&tokens);
    return ok;
}

static bool apply_template(struct engine *e, uint64_t id, struct request *r,
                           struct error *err) {
    struct chat *chat = job_new_chat(e, &r->chat, err);
    bool ok = chat != NULL;
    if (ok && r->count) {
        ok = reply_token_count(e, id, chat, err);
    } else if (ok) {
        reply_templated(e, id, r, chat);
    }
    chat_free(chat);
    request_clear(r);
    return ok;
}

static bool enqueue(struct engine *e, uint64_t id, struct request *r, struct error *err) {
    struct job *job = job_new(e, id, r, err);
    if (!job) return false;
    job_queue_add(&e->queue, job);
    return true;
}

static bool (*const operations[])(struct engine *, uint64_t, struct request *,
                                  struct error *) = {
    [REQUEST_CHAT] = enqueue,
    [REQUEST_COMPLETION] = enqueue,
    [REQUEST_EMBEDDING] = enqueue,
    [REQUEST_TOKENIZE] = tokenize,
    [REQUEST_TEMPLATE] = apply_template,
};

/* ---- frames ---- */

static void take_request(struct engine *e, const struct frame *f) {
    struct request request;
    struct error err;
    if (!request_parse(&request, f->payload, f->len, &e->model.sampling, e->model.vocab_size,
                       &err) ||
        !operations[request.op](e, f->request, &request, &err)) {
        reply_error(&e->link, f->request, &err);
    }
}

static void take_cancel(struct engine *e, const struct frame *f) {
    struct slot *slot = slots_find(e, f->request);
    if (slot) {
        slot_finish(e, slot, STOP_USER);
        return;
    }
    struct job **at = job_queue_find(&e->queue, f->request);
    if (!*at) return;
    struct job *job = job_queue_take(&e->queue, at);
    reply_done(&e->link, job, STOP_USER);
    job_free(job);
}

static void set_paused(struct engine *e, uint64_t request, bool paused) {
    struct slot *slot = slots_find(e, request);
    struct job *job = slot ? slot->job : *job_queue_find(&e->queue, request);
    if (job) job->paused = paused;
}

bool dispatch_frame(struct engine *engine, const struct frame *frame) {
    switch (frame->type) {
    case MSG_STOP:
        return false;
    case MSG_REQUEST:
        take_request(engine, frame);
        break;
    case MSG_CANCEL:
        take_cancel(engine, frame);
        break;
    case MSG_PAUSE:
        set_paused(engine, frame->request, true);
        break;
    case MSG_RESUME:
        set_paused(engine, frame->request, false);
        break;
    default:
        break; /* from a newer daemon; the version in HELLO is its concern */
    }
    return true;
}
