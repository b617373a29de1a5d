/* SPDX-License-Identifier: MIT */
#include "catalog/gguf_cursor.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

enum { BYTES_MAX = 4096 };

static bool too_short(const struct gguf_cursor *c, struct error *err) {
    if (c->end < c->source->size) {
        return error_set(
            err, ERR_LOAD_FAILED,
            "The file's header is longer than %d MiB, more than any known model has.",
            (int)(GGUF_HEADER_MAX >> 20));
    }
    return error_set(err, ERR_LOAD_FAILED,
                     "The file ends within its header; copy or download it again.");
}

void gguf_cursor_init(struct gguf_cursor *c, const struct gguf_source *source) {
    c->source = source;
    c->pos = 0;
    c->end = source->size < GGUF_HEADER_MAX ? source->size : GGUF_HEADER_MAX;
    c->window_start = 0;
    c->window_len = 0;
}

static bool cursor_fill(struct gguf_cursor *c, struct error *err) {
    uint64_t left = c->end - c->pos;
    size_t len = left < sizeof c->window ? (size_t)left : sizeof c->window;
    if (!c->source->read(c->source->ctx, c->pos, c->window, len)) {
        return error_set(err, ERR_IO, "The file cannot be read at byte %llu.",
                         (unsigned long long)c->pos);
    }
    c->window_start = c->pos;
    c->window_len = len;
    return true;
}

const unsigned char *gguf_cursor_bytes(struct gguf_cursor *c, size_t len, struct error *err) {
    assert(len <= BYTES_MAX);
    if (len > c->end - c->pos) {
        too_short(c, err);
        return NULL;
    }
    uint64_t at = c->pos - c->window_start; /* wraps to a huge number before the window */
    if (at > c->window_len || len > c->window_len - at) {
        if (!cursor_fill(c, err)) return NULL;
        at = 0;
    }
    c->pos += len;
    return c->window + at;
}

bool gguf_cursor_u32(struct gguf_cursor *c, uint32_t *ret, struct error *err) {
    const unsigned char *bytes = gguf_cursor_bytes(c, sizeof *ret, err);
    if (!bytes) return false;
    memcpy(ret, bytes, sizeof *ret);
    *ret = le32toh(*ret);
    return true;
}

bool gguf_cursor_u64(struct gguf_cursor *c, uint64_t *ret, struct error *err) {
    const unsigned char *bytes = gguf_cursor_bytes(c, sizeof *ret, err);
    if (!bytes) return false;
    memcpy(ret, bytes, sizeof *ret);
    *ret = le64toh(*ret);
    return true;
}

bool gguf_cursor_skip(struct gguf_cursor *c, uint64_t count, uint64_t width,
                      struct error *err) {
    if (count > (c->end - c->pos) / width) return too_short(c, err);
    c->pos += count * width;
    return true;
}

struct look {
    gguf_look_fn *fn; /* NULL: nobody looks */
    void *ctx;
};

/* Skip strings that lie in the window; returns how many. A header is mostly vocabulary, so a
 * scan spends its time here. */
static uint64_t skip_in_window(struct gguf_cursor *c, uint64_t count, const struct look *look) {
    uint64_t at = c->pos - c->window_start, done = 0;
    while (done < count && at + sizeof(uint64_t) <= c->window_len) {
        uint64_t len;
        memcpy(&len, c->window + at, sizeof len);
        len = le64toh(len);
        if (len > c->window_len - at - sizeof len) break;
        at += sizeof len;
        if (look->fn) look->fn(look->ctx, (const char *)c->window + at, len);
        at += len;
        done++;
    }
    c->pos = c->window_start + at;
    return done;
}

/* The one that goes beyond the window. */
static bool skip_string(struct gguf_cursor *c, const struct look *look, struct error *err) {
    uint64_t len;
    const unsigned char *text = NULL;
    if (!gguf_cursor_u64(c, &len, err)) return false;
    if (len > c->end - c->pos) return too_short(c, err);
    if (look->fn && len <= BYTES_MAX) {
        text = gguf_cursor_bytes(c, len, err);
        if (!text) return false;
    } else {
        c->pos += len;
    }
    if (look->fn) look->fn(look->ctx, (const char *)text, len);
    return true;
}

bool gguf_cursor_skip_strings(struct gguf_cursor *c, uint64_t count, gguf_look_fn *look,
                              void *ctx, struct error *err) {
    const struct look who = { look, ctx };
    while (count > 0) {
        count -= skip_in_window(c, count, &who);
        if (count == 0) break;
        if (!skip_string(c, &who, err)) return false;
        count--;
    }
    return true;
}

bool gguf_cursor_string(struct gguf_cursor *c, struct buf *out, struct error *err) {
    uint64_t len;
    if (!gguf_cursor_u64(c, &len, err)) return false;
    if (len > c->end - c->pos) return too_short(c, err);
    uint64_t after = c->pos + len;
    size_t room = out->max - out->len;
    for (size_t left = len < room ? (size_t)len : room; left > 0;) {
        size_t part = left < BYTES_MAX ? left : BYTES_MAX;
        const unsigned char *bytes = gguf_cursor_bytes(c, part, err);
        if (!bytes || !buf_add(out, bytes, part)) return false;
        left -= part;
    }
    c->pos = after;
    return true;
}
