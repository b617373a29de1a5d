/* SPDX-License-Identifier: MIT */
#include "engine/logprobs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "base/xalloc.h"
#include "engine/tokens.h"

enum { MAX_TOP = 100, MAX_PIECE = 64 << 10 };

void logprobs_clear(struct logprobs *list) {
    for (size_t i = 0; i < list->count; i++) free(list->entries[i].json);
    free(list->entries);
    *list = (struct logprobs){ 0 };
}

/* log(sum(exp(logits))), shifted by the largest against overflow. */
static double log_total(const float *logits, int32_t count) {
    float largest = logits[0];
    for (int32_t i = 1; i < count; i++) {
        if (logits[i] > largest) largest = logits[i];
    }
    double sum = 0;
    for (int32_t i = 0; i < count; i++) sum += exp((double)(logits[i] - largest));
    return (double)largest + log(sum > 0 ? sum : 1);
}

/* The tokens with the largest logits, largest first, by insertion: top is small. */
static int find_top(const float *logits, int32_t count, int top, llama_token *ret) {
    int n = 0;
    for (int32_t i = 0; top > 0 && i < count; i++) {
        if (n == top && logits[i] <= logits[ret[n - 1]]) continue;
        int at = n < top ? n++ : n - 1;
        for (; at > 0 && logits[i] > logits[ret[at - 1]]; at--) ret[at] = ret[at - 1];
        ret[at] = i;
    }
    return n;
}

static void describe(yyjson_mut_doc *doc, yyjson_mut_val *obj, const struct llama_vocab *vocab,
                     llama_token token, double logprob) {
    struct buf piece = BUF_INIT(MAX_PIECE), text = BUF_INIT(3 * MAX_PIECE);
    tokens_piece(&piece, vocab, token, true);
    (void)utf8_repair(&text, buf_str(&piece), piece.len);
    yyjson_mut_obj_add_strncpy(doc, obj, "token", buf_str(&text), text.len);
    yyjson_mut_obj_add_int(doc, obj, "id", token);
    yyjson_mut_val *bytes = yyjson_mut_obj_add_arr(doc, obj, "bytes");
    for (size_t i = 0; i < piece.len; i++) {
        yyjson_mut_arr_add_uint(doc, bytes, (unsigned char)piece.data[i]);
    }
    /* JSON has no -infinity; this is OpenAI's number for "practically impossible". */
    yyjson_mut_obj_add_real(doc, obj, "logprob", isfinite(logprob) ? logprob : -9999.0);
    buf_clear(&piece);
    buf_clear(&text);
}

static char *entry_json(const struct llama_vocab *vocab, const float *logits,
                        llama_token chosen, int top) {
    llama_token best[MAX_TOP] = { 0 };
    int32_t count = llama_vocab_n_tokens(vocab);
    double total = log_total(logits, count);
    int found = find_top(logits, count, top < MAX_TOP ? top : MAX_TOP, best);
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, root);
    describe(doc, root, vocab, chosen, (double)logits[chosen] - total);
    yyjson_mut_val *rivals = yyjson_mut_obj_add_arr(doc, root, "top_logprobs");
    for (int i = 0; i < found; i++) {
        describe(doc, yyjson_mut_arr_add_obj(doc, rivals), vocab, best[i],
                 (double)logits[best[i]] - total);
    }
    char *json = yyjson_mut_write(doc, YYJSON_WRITE_NOFLAG, NULL);
    yyjson_mut_doc_free(doc);
    return json ? json : xstrdup("{}");
}

void logprobs_add(struct logprobs *list, const struct llama_vocab *vocab, const float *logits,
                  llama_token chosen, int top, size_t end) {
    if (list->count == list->cap) {
        list->cap = list->cap ? list->cap * 2 : 16;
        list->entries = xrealloc(list->entries, list->cap * sizeof *list->entries);
    }
    list->entries[list->count++] =
        (struct logprobs_entry){ .end = end, .json = entry_json(vocab, logits, chosen, top) };
}

yyjson_mut_val *logprobs_take(struct logprobs *list, size_t end, yyjson_mut_doc *doc) {
    size_t n = 0;
    yyjson_mut_val *array = yyjson_mut_arr(doc);
    for (; n < list->count && list->entries[n].end <= end; n++) {
        yyjson_mut_arr_append(array, yyjson_mut_rawcpy(doc, list->entries[n].json));
        free(list->entries[n].json);
    }
    list->count -= n;
    if (n > 0) memmove(list->entries, list->entries + n, list->count * sizeof *list->entries);
    return n > 0 ? array : NULL;
}
