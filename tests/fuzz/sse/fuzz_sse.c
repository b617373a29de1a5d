/* SPDX-License-Identifier: MIT */
/*
 * fuzz_sse.c - any bytes as an event stream: the events are the same however the bytes are
 * cut. The first byte says where.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "cli/sse.h"

static void note(void *ctx, const struct sse_event *ev) {
    struct buf *seen = ctx;
    assert(ev->text && strlen(ev->name) < 64 && (ev->kind == SSE_COMMENT) == !*ev->name);
    buf_add_str(seen, ev->name);
    buf_add(seen, "=", 1);
    buf_add(seen, ev->text, ev->len);
    buf_add(seen, "\n", 1);
}

static bool feed(const char *bytes, size_t len, size_t step, struct buf *seen) {
    struct sse s;
    bool ok = true;
    sse_init(&s, note, seen);
    for (size_t i = 0; ok && i < len; i += step) {
        ok = sse_feed(&s, bytes + i, len - i < step ? len - i : step);
    }
    sse_clear(&s);
    return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct buf whole = BUF_INIT(64 << 20), cut = BUF_INIT(64 << 20);
    if (size < 2) return 0;
    const char *bytes = (const char *)data + 1;
    assert(feed(bytes, size - 1, size, &whole));
    assert(feed(bytes, size - 1, (size_t)data[0] % 16 + 1, &cut));
    assert(whole.len == cut.len &&
           (whole.len == 0 || memcmp(whole.data, cut.data, whole.len) == 0));
    buf_clear(&whole);
    buf_clear(&cut);
    return 0;
}
