/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "api/openai/form.h"
#include "base/buf.h"

static void add_text(yyjson_mut_doc *doc, yyjson_mut_val *choice, int index, const char *text) {
    yyjson_mut_obj_add_str(doc, choice, "text", text);
    yyjson_mut_obj_add_int(doc, choice, "index", index);
}

static void completion_add_piece(yyjson_mut_doc *doc, yyjson_mut_val *choice, int index,
                                 const struct service_event *ev, const char *reply_id) {
    (void)reply_id;
    add_text(doc, choice, index, ev->content ? ev->content : "");
}

static void completion_add_whole(yyjson_mut_doc *doc, yyjson_mut_val *choice, int index,
                                 const struct choice *from, const char *reply_id) {
    (void)reply_id;
    add_text(doc, choice, index, buf_str(&from->text));
}

/* Tokens that are a part of a character differ in their bytes only, which OpenAI writes so. */
static yyjson_mut_val *bytes_name(yyjson_mut_doc *doc, yyjson_mut_val *bytes) {
    struct buf name = BUF_INIT(4096);
    yyjson_mut_val *byte;
    size_t i, count;
    buf_add_str(&name, "bytes:");
    yyjson_mut_arr_foreach(bytes, i, count, byte) {
        buf_addf(&name, "\\x%02x", (unsigned)yyjson_mut_get_uint(byte));
    }
    yyjson_mut_val *val = yyjson_mut_strncpy(doc, buf_str(&name), name.len);
    buf_clear(&name);
    return val;
}

static yyjson_mut_val *name_of(yyjson_mut_doc *doc, yyjson_mut_val *item,
                               yyjson_mut_val *token) {
    if (strstr(yyjson_mut_get_str(token), "\xef\xbf\xbd"))
        return bytes_name(doc, yyjson_mut_obj_get(item, "bytes"));
    return yyjson_mut_strn(doc, yyjson_mut_get_str(token), yyjson_mut_get_len(token));
}

/* {"token text": logprob, ...}; null where no alternatives were asked for. */
static yyjson_mut_val *alternatives(yyjson_mut_doc *doc, yyjson_mut_val *entry) {
    yyjson_mut_val *list = yyjson_mut_obj_get(entry, "top_logprobs"), *item;
    size_t i, count;
    if (yyjson_mut_arr_size(list) == 0) return yyjson_mut_null(doc);
    yyjson_mut_val *by_text = yyjson_mut_obj(doc);
    yyjson_mut_arr_foreach(list, i, count, item) {
        yyjson_mut_val *token = yyjson_mut_obj_get(item, "token");
        if (!yyjson_mut_is_str(token)) continue;
        yyjson_mut_obj_add(
            by_text, name_of(doc, item, token),
            yyjson_mut_real(doc, yyjson_mut_get_num(yyjson_mut_obj_get(item, "logprob"))));
    }
    return by_text;
}

/* The lists of the older endpoint, one item for each token. */
static yyjson_mut_val *completion_format_logprobs(yyjson_mut_doc *doc, yyjson_mut_val *entries,
                                                  int64_t *offset) {
    yyjson_mut_val *wrap = yyjson_mut_obj(doc), *entry;
    yyjson_mut_val *tokens = yyjson_mut_obj_add_arr(doc, wrap, "tokens");
    yyjson_mut_val *values = yyjson_mut_obj_add_arr(doc, wrap, "token_logprobs");
    yyjson_mut_val *tops = yyjson_mut_obj_add_arr(doc, wrap, "top_logprobs");
    yyjson_mut_val *offsets = yyjson_mut_obj_add_arr(doc, wrap, "text_offset");
    size_t i, count;
    yyjson_mut_arr_foreach(entries, i, count, entry) {
        const char *token = yyjson_mut_get_str(yyjson_mut_obj_get(entry, "token"));
        if (!token) token = "";
        yyjson_mut_arr_add_str(doc, tokens, token);
        double value = yyjson_mut_get_num(yyjson_mut_obj_get(entry, "logprob"));
        yyjson_mut_arr_add_real(doc, values, value);
        yyjson_mut_arr_append(tops, alternatives(doc, entry));
        yyjson_mut_arr_add_int(doc, offsets, *offset);
        *offset += choice_text_length(token);
    }
    return wrap;
}

const struct openai_form openai_completion_form = {
    .id_prefix = "cmpl-",
    .object = "text_completion",
    .chunk_object = "text_completion",
    .add_piece = completion_add_piece,
    .add_whole = completion_add_whole,
    .format_logprobs = completion_format_logprobs,
};
