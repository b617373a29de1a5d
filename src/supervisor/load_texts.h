/* SPDX-License-Identifier: MIT */
/*
 * load_texts.h - texts that loads demand (a prompt template, an ending of thoughts), by number.
 *
 * Load settings are copied and compared as plain values, so they hold a text's number: equal
 * texts have equal numbers. A text that nobody uses any more is dropped when room is needed.
 * Start with a zeroed struct. Pure.
 */
#ifndef DOZE_SUPERVISOR_LOAD_TEXTS_H
#define DOZE_SUPERVISOR_LOAD_TEXTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum {
    LOAD_TEXTS_MAX = 64,        /* different ones that are in use together */
    LOAD_TEXT_BYTES = 64 << 10, /* of one; the largest templates have 20 KB */
};

struct load_texts {
    struct {
        int64_t number; /* 0: nothing is here */
        char *text;
    } list[LOAD_TEXTS_MAX];
    int64_t last;
};

/* Is the text with this number used? */
typedef bool (*load_text_used_fn)(void *ctx, int64_t number);

void load_texts_clear(struct load_texts *texts);

struct load_text {
    const char *what; /* begins the sentence that says it is too long */
    const char *text; /* may be NULL */
};

/* The number of a text; 0 for NULL and for "". Copies. Fails with ERR_INVALID_REQUEST (too
 * long) and ERR_QUEUE_FULL (too many are used). */
bool load_texts_number(struct load_texts *texts, struct load_text given, load_text_used_fn used,
                       void *ctx, int64_t *ret_number, struct error *err);

/* NULL for 0. Valid as long as it is used. */
const char *load_texts_find(const struct load_texts *texts, int64_t number);

#endif
