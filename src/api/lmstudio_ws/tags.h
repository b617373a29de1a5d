/* SPDX-License-Identifier: MIT */
/*
 * tags.h - separates reasoning from content by two tags that the client names. Pure.
 *
 * Text comes in pieces; what may become a tag is held back until that is known. A zeroed struct
 * has no tags: all text is content.
 */
#ifndef DOZE_API_LMSTUDIO_WS_TAGS_H
#define DOZE_API_LMSTUDIO_WS_TAGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct lmws_tags {
    char *start, *end; /* NULL: none */
    struct buf held;
    bool inside; /* the start was found, its end not yet */
};

/* Borrows the text, which is "" where a tag was found. */
typedef void (*lmws_tags_fn)(void *ctx, const char *text, bool reasoning);

/* Copies. Neither is empty. */
void lmws_tags_init(struct lmws_tags *tags, const char *start, const char *end);
void lmws_tags_clear(struct lmws_tags *tags);

void lmws_tags_feed(struct lmws_tags *tags, const char *text, lmws_tags_fn fn, void *ctx);
/* The text ends: what is held back is not a tag. */
void lmws_tags_finish(struct lmws_tags *tags, lmws_tags_fn fn, void *ctx);

#endif
