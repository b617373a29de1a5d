/* SPDX-License-Identifier: MIT */
/* fuzz_frame.c - any bytes as frames: what is taken for a frame, written again, is the same;
 * and their payloads as the questions and answers about memory, which are read the same when
 * written again. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "ipc/frame.h"
#include "ipc/growth_message.h"

enum { LIMIT = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_grow(const char *text, size_t len) {
    struct grow_message m, again;
    struct error err;
    if (!grow_message_parse(&m, text, len, &err)) return;
    assert(m.ask > 0 && m.least > 0 && m.least <= m.bytes && m.bytes <= GROWTH_LARGEST);
    struct buf out = BUF_INIT(LIMIT);
    grow_message_format(&m, &out);
    assert(grow_message_parse(&again, out.data, out.len, &err));
    assert(m.ask == again.ask && m.bytes == again.bytes && m.least == again.least);
    buf_clear(&out);
}

static void try_grant(const char *text, size_t len) {
    struct grant_message m, again;
    struct error err;
    if (!grant_message_parse(&m, text, len, &err)) return;
    assert(m.ask >= 0 && m.bytes >= 0 && m.bytes <= GROWTH_LARGEST);
    struct buf out = BUF_INIT(LIMIT);
    grant_message_format(&m, &out);
    assert(grant_message_parse(&again, out.data, out.len, &err));
    assert(m.ask == again.ask && m.bytes == again.bytes && m.most == again.most);
    buf_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *at = (const char *)data;
    for (size_t left = size;;) {
        struct frame frame;
        struct error err = { 0 };
        size_t used = 0;
        enum frame_status status = frame_parse(at, left, LIMIT, &frame, &used, &err);
        assert((status == FRAME_BAD) == (err.text[0] != '\0'));
        if (status != FRAME_ONE) break;
        assert(used <= left && frame.len <= LIMIT);
        struct buf again = BUF_INIT(FRAME_HEADER_SIZE + LIMIT);
        assert(frame_format(&again, frame.type, frame.request, frame.payload, frame.len));
        assert(again.len == used && memcmp(again.data, at, used) == 0);
        buf_clear(&again);
        try_grow(frame.payload, frame.len);
        try_grant(frame.payload, frame.len);
        at += used;
        left -= used;
    }
    return 0;
}
