/* SPDX-License-Identifier: MIT */
#include "api/lmstudio_ws/tags.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

enum { HELD_MAX = 64 << 20 };

void lmws_tags_init(struct lmws_tags *tags, const char *start, const char *end) {
    *tags = (struct lmws_tags){ .start = xstrdup(start), .end = xstrdup(end) };
    buf_init(&tags->held, HELD_MAX);
}

void lmws_tags_clear(struct lmws_tags *tags) {
    free(tags->start);
    free(tags->end);
    if (tags->start) buf_clear(&tags->held);
    *tags = (struct lmws_tags){ 0 };
}

/* Length of the longest suffix of the text that is a prefix of the tag. */
static size_t tag_begun(const char *text, size_t len, const char *tag) {
    size_t most = strlen(tag) - 1;
    for (size_t n = len < most ? len : most; n > 0; n--) {
        if (memcmp(text + len - n, tag, n) == 0) return n;
    }
    return 0;
}

static void tags_give(struct lmws_tags *tags, size_t len, lmws_tags_fn fn, void *ctx) {
    if (len == 0) return;
    char *text = xstrndup(buf_str(&tags->held), len);
    fn(ctx, text, tags->inside);
    free(text);
    buf_drop(&tags->held, len);
}

void lmws_tags_feed(struct lmws_tags *tags, const char *text, lmws_tags_fn fn, void *ctx) {
    if (!tags->start) {
        fn(ctx, text, false);
        return;
    }
    buf_add_str(&tags->held, text);
    for (;;) {
        const char *tag = tags->inside ? tags->end : tags->start;
        const char *held = buf_str(&tags->held), *found = strstr(held, tag);
        if (!found) break;
        tags_give(tags, (size_t)(found - held), fn, ctx);
        buf_drop(&tags->held, strlen(tag));
        tags->inside = !tags->inside;
        fn(ctx, "", tags->inside);
    }
    const char *tag = tags->inside ? tags->end : tags->start;
    size_t len = tags->held.len;
    tags_give(tags, len - tag_begun(buf_str(&tags->held), len, tag), fn, ctx);
}

void lmws_tags_finish(struct lmws_tags *tags, lmws_tags_fn fn, void *ctx) {
    if (tags->start) tags_give(tags, tags->held.len, fn, ctx);
}
