/* SPDX-License-Identifier: MIT */
/* embeddings.c - the answer to /v1/embeddings. */
#include "api/openai/embeddings.h"

#include <nettle/base64.h>
#include <string.h>

#include "api/vectors.h"
#include "api/write.h"
#include "base/json.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "base64 vectors are little-endian");

static void write_base64(struct buf *out, const char *bytes, size_t len) {
    size_t size = BASE64_ENCODE_RAW_LENGTH(len);
    char *room = buf_reserve(out, size);
    if (!room) return;
    base64_encode_raw(room, len, (const uint8_t *)bytes);
    out->len += size;
}

static void write_entry(struct buf *out, int index, const struct vector *vector, bool base64) {
    struct buf text = BUF_INIT(16 * vector->count + 18); /* "-1.23456789e-38," */
    yyjson_mut_doc *doc = answer_new();
    yyjson_mut_val *entry = yyjson_mut_doc_get_root(doc);
    yyjson_mut_obj_add_str(doc, entry, "object", "embedding");
    if (base64) {
        write_base64(&text, (const char *)vector->values, vector->count * sizeof(float));
        yyjson_mut_obj_add_strn(doc, entry, "embedding", text.data ? text.data : "", text.len);
    } else {
        vector_write(vector, &text);
        yyjson_mut_obj_add_val(doc, entry, "embedding",
                               yyjson_mut_rawn(doc, text.data, text.len));
    }
    yyjson_mut_obj_add_int(doc, entry, "index", index);
    json_write_end(doc, out);
    buf_clear(&text);
}

static void write_usage(struct buf *out, const struct service_usage *usage) {
    yyjson_mut_doc *doc = answer_new();
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_obj_add_int(doc, root, "prompt_tokens", usage->prompt_tokens);
    yyjson_mut_obj_add_int(doc, root, "total_tokens", usage->prompt_tokens);
    json_write_end(doc, out);
}

void openai_embeddings_add(struct buf *entries, int index, const struct service_event *ev,
                           const struct reply_options *options) {
    struct buf room = { 0 };
    struct vector vector = vector_of(ev, options->dimensions, &room);
    if (index > 0) buf_add_str(entries, ",");
    write_entry(entries, index, &vector, options->base64);
    buf_clear(&room);
}

void openai_embeddings_format(const struct buf *entries, const struct reply_options *options,
                              const struct service_usage *usage, struct buf *out) {
    buf_add_str(out, "{\"object\":\"list\",\"data\":[");
    buf_add(out, buf_str(entries), entries->len);
    buf_add_str(out, "],\"model\":");
    json_write_str(out, options->model, strlen(options->model));
    buf_add_str(out, ",\"usage\":");
    write_usage(out, usage);
    buf_add_str(out, "}");
}
