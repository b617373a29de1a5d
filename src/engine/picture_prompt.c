/* SPDX-License-Identifier: MIT */
#include "engine/picture_prompt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/xalloc.h"
#include "engine/projector.h"

/* The end of a mark, behind the picture's number. */
static const char END = '_';

/* ---- life ---- */

bool picture_prompt_begin(struct picture_prompt *ret, const struct model *model,
                          const struct request_chat *chat, struct error *err) {
    unsigned long long random[2];
    if (!model->projector) {
        return error_set_param(err, ERR_NOT_SUPPORTED, "messages",
                               "This model cannot read images: %s; leave the images out.",
                               model->vision_error ? model->vision_error
                                                   : "it reads text only");
    }
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        return error_set(err, ERR_INTERNAL, "There are no random numbers; try again.");
    *ret = (struct picture_prompt){ .chat = chat };
    ret->placed = xcalloc(chat->picture_count, sizeof *ret->placed);
    (void)snprintf(ret->mark, sizeof ret->mark, "picture_%016llx%016llx_", random[0],
                   random[1]);
    return true;
}

void picture_prompt_clear(struct picture_prompt *p) {
    picture_spans_clear(&p->spans);
    free(p->placed);
    *p = (struct picture_prompt){ 0 };
}

/* ---- messages ---- */

/* In the order in which request_chat.c has counted them. */
static void mark_parts(const struct picture_prompt *p, yyjson_mut_doc *doc,
                       yyjson_mut_val *parts, size_t *number) {
    yyjson_mut_val *part;
    size_t i, count;
    yyjson_mut_arr_foreach(parts, i, count, part) {
        if (!yyjson_mut_equals_str(yyjson_mut_obj_get(part, "type"), "image_url")) continue;
        char mark[sizeof p->mark + 24];
        int len = snprintf(mark, sizeof mark, "%s%zu%c", p->mark, (*number)++, END);
        yyjson_mut_obj_clear(part);
        yyjson_mut_obj_add_str(doc, part, "type", "media_marker");
        yyjson_mut_obj_add_strncpy(doc, part, "text", mark, (size_t)len);
    }
}

yyjson_doc *picture_prompt_messages(const struct picture_prompt *p) {
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *messages = yyjson_val_mut_copy(doc, p->chat->messages), *message;
    size_t i, count, number = 0;
    yyjson_mut_doc_set_root(doc, messages);
    yyjson_mut_arr_foreach(messages, i, count, message) {
        mark_parts(p, doc, yyjson_mut_obj_get(message, "content"), &number);
    }
    yyjson_doc *marked = yyjson_mut_doc_imut_copy(doc, NULL);
    yyjson_mut_doc_free(doc);
    return marked;
}

/* ---- the prompt, in pieces ---- */

/* The next mark. False: there is none, or it is not of a picture. */
struct mark {
    const char *at;
    size_t len, number;
};

static bool find_mark(const struct picture_prompt *p, const char *text, size_t len,
                      struct mark *ret) {
    size_t mark_len = strlen(p->mark);
    const char *at = memmem(text, len, p->mark, mark_len);
    if (!at) return false;
    size_t left = len - (size_t)(at - text) - mark_len, digits = 0, number = 0;
    const char *digit = at + mark_len;
    while (digits < left && digits < 6 && digit[digits] >= '0' && digit[digits] <= '9')
        number = number * 10 + (size_t)(digit[digits++] - '0');
    if (digits == 0 || digits == left || digit[digits] != END) return false;
    *ret = (struct mark){ .at = at, .len = mark_len + digits + 1, .number = number };
    return number < p->chat->picture_count;
}

void picture_prompt_show(const struct picture_prompt *p, const char *prompt, size_t len,
                         struct buf *out) {
    struct mark mark;
    while (find_mark(p, prompt, len, &mark)) {
        size_t before = (size_t)(mark.at - prompt), done = before + mark.len;
        (void)buf_add(out, prompt, before);
        (void)buf_add_str(out, "[picture]");
        prompt += done;
        len -= done;
    }
    (void)buf_add(out, prompt, len);
}

/* ---- tokens ---- */

static void add_chunks(struct picture_prompt *p, size_t picture,
                       const mtmd_input_chunks *chunks, struct tokens *ret) {
    int32_t part = 0;
    for (size_t i = 0; i < mtmd_input_chunks_size(chunks); i++) {
        const mtmd_input_chunk *chunk = mtmd_input_chunks_get(chunks, i);
        size_t count = mtmd_input_chunk_get_n_tokens(chunk);
        if (mtmd_input_chunk_get_type(chunk) == MTMD_INPUT_CHUNK_TYPE_TEXT) {
            tokens_append(ret, mtmd_input_chunk_get_tokens_text(chunk, &count), count);
            continue;
        }
        picture_spans_add(&p->spans, (struct picture_span){ .start = (int32_t)ret->count,
                                                            .count = (int32_t)count,
                                                            .picture = (int32_t)picture,
                                                            .part = part });
        part++;
        for (size_t j = 0; j < count; j++) tokens_add(ret, 0);
    }
}

static bool add_picture(struct picture_prompt *p, const struct model *model, size_t number,
                        struct tokens *ret, struct error *err) {
    const struct picture_url *url = &p->chat->pictures[number];
    struct picture picture;
    p->placed[number] = true;
    if (!picture_decode(url->text, url->len, number + 1, &picture, err)) return false;
    mtmd_input_chunks *chunks = projector_cut(model->projector, &picture, number + 1, err);
    picture_clear(&picture);
    if (!chunks) return false;
    add_chunks(p, number, chunks, ret);
    mtmd_input_chunks_free(chunks);
    return true;
}

static bool all_placed(const struct picture_prompt *p, struct error *err) {
    for (size_t i = 0; i < p->chat->picture_count; i++) {
        if (p->placed[i]) continue;
        return error_set_param(err, ERR_INVALID_REQUEST, "messages",
                               "The model's chat template leaves out picture %zu of the "
                               "conversation; put pictures into messages of the user.",
                               i + 1);
    }
    return true;
}

static bool add_text(const struct model *model, const char *text, size_t len,
                     struct tokens *ret, struct error *err) {
    return len == 0 ||
           tokens_from_text(ret, model->vocab, text, len, TOKENS_PARSE_SPECIAL, err);
}

/* The marks at the ends of the whole, which the tokenizer adds to a text. */
bool picture_prompt_tokens(struct picture_prompt *p, const struct model *model,
                           const char *prompt, size_t len, struct tokens *ret,
                           struct error *err) {
    struct mark mark;
    if (llama_vocab_get_add_bos(model->vocab)) tokens_add(ret, llama_vocab_bos(model->vocab));
    while (find_mark(p, prompt, len, &mark)) {
        size_t before = (size_t)(mark.at - prompt), done = before + mark.len;
        if (!add_text(model, prompt, before, ret, err) ||
            !add_picture(p, model, mark.number, ret, err)) {
            return false;
        }
        prompt += done;
        len -= done;
    }
    if (!add_text(model, prompt, len, ret, err) || !all_placed(p, err)) return false;
    if (llama_vocab_get_add_eos(model->vocab)) tokens_add(ret, llama_vocab_eos(model->vocab));
    return true;
}
