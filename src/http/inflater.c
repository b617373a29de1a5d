/* SPDX-License-Identifier: MIT */
#include "http/inflater.h"

#include <stdlib.h>
/* zlib then takes const bytes. */
#define ZLIB_CONST
#include <zlib.h>

#include "base/xalloc.h"

enum {
    ANY_FORMAT = 15 + 32, /* the largest window, and gzip or zlib by the first bytes */
    PIECE = 16 << 10,
};

struct inflater {
    z_stream stream;
    bool ended;
};

struct inflater *inflater_new(void) {
    struct inflater *inflater = xcalloc(1, sizeof *inflater);
    if (inflateInit2(&inflater->stream, ANY_FORMAT) != Z_OK) abort(); /* only without memory */
    return inflater;
}

void inflater_free(struct inflater *inflater) {
    if (!inflater) return;
    inflateEnd(&inflater->stream);
    free(inflater);
}

/* gzip allows one member after another. */
static bool begin_next_member(struct inflater *inflater) {
    if (!inflater->ended) return true;
    inflater->ended = false;
    return inflateReset(&inflater->stream) == Z_OK;
}

enum inflater_step inflater_feed(struct inflater *inflater, const char *bytes, size_t len,
                                 struct buf *out) {
    z_stream *z = &inflater->stream;
    unsigned char piece[PIECE];
    bool more = len > 0; /* input, or output that had no room in the piece */
    z->next_in = (const unsigned char *)bytes;
    z->avail_in = (uInt)len;
    while (more) {
        if (!begin_next_member(inflater)) return INFLATER_BROKEN;
        z->next_out = piece;
        z->avail_out = PIECE;
        int code = inflate(z, Z_NO_FLUSH);
        inflater->ended = code == Z_STREAM_END;
        if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) return INFLATER_BROKEN;
        if (!buf_add(out, (const char *)piece, PIECE - z->avail_out)) return INFLATER_TOO_LARGE;
        more = z->avail_in > 0 || (z->avail_out == 0 && !inflater->ended);
    }
    return INFLATER_OK;
}

bool inflater_ended(const struct inflater *inflater) {
    return inflater->ended;
}
