/* SPDX-License-Identifier: MIT */
/*
 * context.c - the conversation of /api/generate as numbers, which its client keeps and sends
 * with the next prompt.
 *
 * To clients the numbers are opaque, and the server keeps nothing. Ollama gives tokens; here
 * they are the messages as JSON, three bytes to a number, so that the template sees the turns
 * that it knows. Numbers are below 2^24: clients hold them in 32 bits.
 */
#include <string.h>

#include "api/ollama/translate.h"
#include "base/buf.h"
#include "base/json.h"

enum { MARK = 0x646f7a /* "doz": the first number */, TEXT_MAX = 256 << 20 /* bytes */ };

void ollama_context_add(yyjson_mut_doc *doc, yyjson_mut_val *root, yyjson_mut_doc *messages) {
    struct buf text = BUF_INIT(TEXT_MAX);
    yyjson_mut_val *out = yyjson_mut_arr(doc);
    if (json_write(messages, &text)) {
        (void)buf_add_str(&text, "  "); /* to a multiple of three; JSON does not mind */
        yyjson_mut_arr_add_int(doc, out, MARK);
        for (size_t i = 0; i + 3 <= text.len; i += 3) {
            const unsigned char *at = (const unsigned char *)text.data + i;
            yyjson_mut_arr_add_int(doc, out, at[0] << 16 | at[1] << 8 | at[2]);
        }
        yyjson_mut_obj_add_val(doc, root, "context", out);
    }
    buf_clear(&text);
}

static bool read_number(yyjson_val *val, struct buf *text) {
    uint64_t number = yyjson_get_uint(val);
    if (!yyjson_is_uint(val) || number >> 24) return false;
    char bytes[3] = { (char)(number >> 16), (char)(number >> 8), (char)number };
    return buf_add(text, bytes, sizeof bytes);
}

static bool read_text(yyjson_val *numbers, struct buf *text) {
    yyjson_val *val;
    size_t i, count;
    yyjson_arr_foreach(numbers, i, count, val) {
        bool ok = i == 0 ? yyjson_get_uint(val) == MARK : read_number(val, text);
        if (!ok) return false;
    }
    return true;
}

static bool is_message(yyjson_val *message) {
    const char *role = json_find_str(message, "role");
    return json_find_str(message, "content") && role &&
           (strcmp(role, "system") == 0 || strcmp(role, "user") == 0 ||
            strcmp(role, "assistant") == 0);
}

static bool messages_add(struct translation *t, yyjson_mut_val *list, yyjson_val *messages) {
    yyjson_val *message;
    size_t i, count;
    if (!yyjson_is_arr(messages)) return false;
    yyjson_arr_foreach(messages, i, count, message) {
        if (!is_message(message)) return false;
        yyjson_mut_arr_append(list, yyjson_val_mut_copy(t->doc, message));
    }
    return true;
}

bool ollama_context_read(struct translation *t, yyjson_mut_val *list) {
    struct buf text = BUF_INIT(TEXT_MAX);
    struct error ignored;
    yyjson_val *numbers = NULL;
    if (!json_read_array(t->in, "context", &numbers, t->err)) return false;
    if (yyjson_arr_size(numbers) == 0) return true;
    yyjson_doc *doc = read_text(numbers, &text) ? json_parse(text.data, text.len, &ignored)
                                                : NULL;
    bool ok = doc && messages_add(t, list, yyjson_doc_get_root(doc));
    yyjson_doc_free(doc);
    buf_clear(&text);
    return ok || error_set_param(t->err, ERR_INVALID_REQUEST, "context",
                                 "'context' must be what /api/generate answered before; leave "
                                 "it out to begin a new conversation.");
}
