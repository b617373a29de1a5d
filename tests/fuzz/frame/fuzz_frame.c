/* SPDX-License-Identifier: MIT */
/* fuzz_frame.c - any bytes as frames: what is taken for a frame, written again, is the same. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "ipc/frame.h"

enum { LIMIT = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
        at += used;
        left -= used;
    }
    return 0;
}
