/* SPDX-License-Identifier: MIT */
/* embeddings.c - vectors are kept as bytes and written one at a time: an answer may hold
 * millions of numbers, too many for one tree of JSON values. */
#include "api/openai/embeddings.h"

#include <assert.h>
#include <math.h>
#include <nettle/base64.h>
#include <string.h>

#include "api/write.h"
#include "base/json.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "base64 vectors are little-endian");

/* Kept as: length, floats, length, floats, ... */
bool openai_vectors_keep(struct buf *vectors, const struct service_event *ev) {
    return buf_add(vectors, &ev->vector_len, sizeof ev->vector_len) &&
           buf_add(vectors, ev->vector, ev->vector_len * sizeof *ev->vector);
}

/* Nine digits restore a float exactly; yyjson would write those of a double, twice as many.
 * JSON has no infinities. */
static void write_floats(struct buf *out, const char *bytes, size_t count) {
    buf_add_str(out, "[");
    for (size_t i = 0; i < count; i++) {
        float value;
        memcpy(&value, bytes + i * sizeof value, sizeof value);
        if (i) buf_add_str(out, ",");
        if (isfinite(value)) {
            buf_addf(out, "%.9g", (double)value);
        } else {
            buf_add_str(out, "null");
        }
    }
    buf_add_str(out, "]");
}

static void write_base64(struct buf *out, const char *bytes, size_t len) {
    size_t size = BASE64_ENCODE_RAW_LENGTH(len);
    char *room = buf_reserve(out, size);
    if (!room) return;
    base64_encode_raw(room, len, (const uint8_t *)bytes);
    out->len += size;
}

static void write_entry(struct buf *out, int index, const char *bytes, size_t count,
                        bool base64) {
    struct buf text = BUF_INIT(16 * count + 2); /* "-1.23456789e-38," */
    yyjson_mut_doc *doc = answer_new();
    yyjson_mut_val *entry = yyjson_mut_doc_get_root(doc);
    yyjson_mut_obj_add_str(doc, entry, "object", "embedding");
    if (base64) {
        write_base64(&text, bytes, count * sizeof(float));
        yyjson_mut_obj_add_strn(doc, entry, "embedding", text.data ? text.data : "", text.len);
    } else {
        write_floats(&text, bytes, count);
        yyjson_mut_obj_add_val(doc, entry, "embedding",
                               yyjson_mut_rawn(doc, text.data, text.len));
    }
    yyjson_mut_obj_add_int(doc, entry, "index", index);
    answer_write(doc, out);
    buf_clear(&text);
}

static void write_usage(struct buf *out, const struct service_usage *usage) {
    yyjson_mut_doc *doc = answer_new();
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_obj_add_int(doc, root, "prompt_tokens", usage->prompt_tokens);
    yyjson_mut_obj_add_int(doc, root, "total_tokens", usage->prompt_tokens);
    answer_write(doc, out);
}

void openai_embeddings_format(const struct buf *vectors, const struct reply_options *options,
                              const struct service_usage *usage, struct buf *out) {
    size_t at = 0, count = 0;
    buf_add_str(out, "{\"object\":\"list\",\"data\":[");
    for (int index = 0; at < vectors->len; index++) {
        memcpy(&count, vectors->data + at, sizeof count);
        at += sizeof count;
        assert(count <= (vectors->len - at) / sizeof(float));
        if (index) buf_add_str(out, ",");
        write_entry(out, index, vectors->data + at, count, options->base64);
        at += count * sizeof(float);
    }
    buf_add_str(out, "],\"model\":");
    json_write_str(out, options->model, strlen(options->model));
    buf_add_str(out, ",\"usage\":");
    write_usage(out, usage);
    buf_add_str(out, "}");
}
