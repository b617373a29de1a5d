/* SPDX-License-Identifier: MIT */
#include "cli/sse.h"

#include <stdio.h>
#include <string.h>

void sse_init(struct sse *s, void (*on_event)(void *ctx, const struct sse_event *ev),
              void *ctx) {
    *s = (struct sse){ .on_event = on_event, .ctx = ctx };
    buf_init(&s->line, SSE_MAX_EVENT);
    buf_init(&s->data, SSE_MAX_EVENT);
}

void sse_clear(struct sse *s) {
    buf_clear(&s->line);
    buf_clear(&s->data);
}

static void sse_end_event(struct sse *s) {
    if (s->has_data) {
        struct sse_event ev = {
            .kind = SSE_EVENT,
            .name = s->name[0] ? s->name : "message",
            .text = buf_str(&s->data),
            .len = s->data.len,
        };
        s->on_event(s->ctx, &ev);
    }
    buf_reset(&s->data);
    s->has_data = false;
    s->name[0] = '\0';
}

static bool sse_take_data(struct sse *s, const char *value, size_t len) {
    if (s->has_data && !buf_add(&s->data, "\n", 1)) return false;
    s->has_data = true;
    return len == 0 || buf_add(&s->data, value, len);
}

static bool field_is(const char *line, size_t name_len, const char *name) {
    return strlen(name) == name_len && memcmp(line, name, name_len) == 0;
}

static bool sse_end_line(struct sse *s) {
    size_t len = s->line.len;
    const char *line = buf_str(&s->line);
    if (len == 0) {
        sse_end_event(s);
        return true;
    }
    const char *colon = memchr(line, ':', len);
    size_t name_len = colon ? (size_t)(colon - line) : len;
    const char *value = colon ? colon + 1 : line + len;
    if (*value == ' ') value++;
    size_t value_len = (size_t)(line + len - value);
    bool ok = true;
    if (name_len == 0) {
        struct sse_event ev = { SSE_COMMENT, "", value, value_len };
        s->on_event(s->ctx, &ev);
    } else if (field_is(line, name_len, "data")) {
        ok = sse_take_data(s, value, value_len);
    } else if (field_is(line, name_len, "event")) {
        snprintf(s->name, sizeof s->name, "%s", value);
    }
    buf_reset(&s->line);
    return ok;
}

/* A line ends with LF, CR or CR LF; a piece may end between CR and LF. */
bool sse_feed(struct sse *s, const char *bytes, size_t len) {
    for (size_t i = 0; i < len;) {
        if (s->after_cr && bytes[i] == '\n') {
            s->after_cr = false;
            i++;
            continue;
        }
        s->after_cr = false;
        size_t end = i;
        while (end < len && bytes[end] != '\n' && bytes[end] != '\r') end++;
        if (end > i && !buf_add(&s->line, bytes + i, end - i)) return false;
        if (end == len) return true;
        s->after_cr = bytes[end] == '\r';
        if (!sse_end_line(s)) return false;
        i = end + 1;
    }
    return true;
}
