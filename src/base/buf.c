/* SPDX-License-Identifier: MIT */
#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

void buf_init(struct buf *b, size_t max) {
    *b = (struct buf){ .max = max };
}

void buf_clear(struct buf *b) {
    free(b->data);
    *b = (struct buf){ .max = b->max };
}

void buf_reset(struct buf *b) {
    b->len = 0;
    b->overflowed = false;
    if (b->data) b->data[0] = '\0';
}

char *buf_reserve(struct buf *b, size_t len) {
    if (b->overflowed || len > b->max - b->len) {
        b->overflowed = true;
        return NULL;
    }
    size_t need = b->len + len + 1;
    if (need > b->cap) {
        size_t cap = b->cap ? b->cap : 64;
        while (cap < need) cap *= 2;
        b->data = xrealloc(b->data, cap);
        b->cap = cap;
    }
    b->data[b->len + len] = '\0';
    return b->data + b->len;
}

bool buf_add(struct buf *b, const void *bytes, size_t len) {
    char *room = buf_reserve(b, len);
    if (!room) return false;
    if (len) memcpy(room, bytes, len);
    b->len += len;
    return true;
}

bool buf_add_taking(struct buf *b, char *bytes, size_t len) {
    bool fits = !b->overflowed && len <= b->max;
    if (b->data || !fits) {
        bool ok = buf_add(b, bytes, len);
        free(bytes);
        return ok;
    }
    b->data = bytes;
    b->len = len;
    b->cap = len + 1;
    return true;
}

bool buf_add_str(struct buf *b, const char *text) {
    return buf_add(b, text, strlen(text));
}

bool buf_addf(struct buf *b, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    assert(len >= 0);
    char *room = buf_reserve(b, (size_t)len);
    if (!room) return false;
    va_start(args, fmt);
    vsnprintf(room, (size_t)len + 1, fmt, args);
    va_end(args);
    b->len += (size_t)len;
    return true;
}

void buf_drop(struct buf *b, size_t len) {
    assert(len <= b->len);
    if (len == 0) return;
    memmove(b->data, b->data + len, b->len - len + 1);
    b->len -= len;
}

void buf_drop_shrink(struct buf *b, size_t len, size_t most) {
    buf_drop(b, len);
    if (b->len == 0 && b->cap > most) buf_clear(b);
}

char *buf_take(struct buf *b) {
    char *data = b->data ? b->data : xstrdup("");
    *b = (struct buf){ .max = b->max };
    return data;
}

const char *buf_str(const struct buf *b) {
    return b->data ? b->data : "";
}
