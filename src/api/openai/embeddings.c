/* SPDX-License-Identifier: MIT */
/* embeddings.c - the answer to /v1/embeddings. Numbers go straight to text: an answer may hold
 * millions of them, too many for a tree of JSON values. */
#include "api/openai/embeddings.h"

#include <assert.h>
#include <math.h>
#include <nettle/base64.h>
#include <string.h>

#include "base/json.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "base64 vectors are little-endian");

/* Kept as: length, floats, length, floats, ... */
bool openai_vectors_keep(struct buf *vectors, const struct service_event *ev) {
    return buf_add(vectors, &ev->vector_len, sizeof ev->vector_len) &&
           buf_add(vectors, ev->vector, ev->vector_len * sizeof *ev->vector);
}

/* Nine digits give a float back exactly. JSON has no infinities. */
static void add_floats(struct buf *out, const char *bytes, size_t count) {
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

static void add_base64(struct buf *out, const char *bytes, size_t len) {
    size_t size = BASE64_ENCODE_RAW_LENGTH(len);
    buf_add_str(out, "\"");
    char *room = buf_reserve(out, size);
    if (!room) return;
    base64_encode_raw(room, len, (const uint8_t *)bytes);
    out->len += size;
    buf_add_str(out, "\"");
}

static void add_data(struct buf *out, const struct buf *vectors,
                     const struct reply_options *options) {
    size_t at = 0, count = 0;
    for (int index = 0; at < vectors->len; index++) {
        memcpy(&count, vectors->data + at, sizeof count);
        at += sizeof count;
        assert(count <= (vectors->len - at) / sizeof(float));
        buf_add_str(out, index ? "," : "");
        buf_add_str(out, "{\"object\":\"embedding\",\"embedding\":");
        if (options->base64) {
            add_base64(out, vectors->data + at, count * sizeof(float));
        } else {
            add_floats(out, vectors->data + at, count);
        }
        buf_addf(out, ",\"index\":%d}", index);
        at += count * sizeof(float);
    }
}

void openai_embeddings_format(const struct buf *vectors, const struct reply_options *options,
                              const char *model, const struct service_usage *usage,
                              struct buf *out) {
    buf_add_str(out, "{\"object\":\"list\",\"data\":[");
    add_data(out, vectors, options);
    buf_add_str(out, "],\"model\":");
    json_write_str(out, model, strlen(model));
    buf_addf(out, ",\"usage\":{\"prompt_tokens\":%lld,\"total_tokens\":%lld}}",
             (long long)usage->prompt_tokens, (long long)usage->prompt_tokens);
}
