/* SPDX-License-Identifier: MIT */
/*
 * load_texts.h - texts of load settings (a prompt template, the end of a thinking part, names
 * of adapters), stored for longer than the request that brought them.
 *
 * Load settings are copied and compared as plain values, so equal texts have one pointer here.
 * An unused text is dropped when room is needed. Start with a zeroed struct. Pure.
 */
#ifndef DOZE_SUPERVISOR_LOAD_TEXTS_H
#define DOZE_SUPERVISOR_LOAD_TEXTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum {
    LOAD_TEXTS_MAX = 256,       /* different ones that are in use together */
    LOAD_TEXT_BYTES = 64 << 10, /* of one; the largest templates have 20 KB */
};

struct load_texts {
    char *list[LOAD_TEXTS_MAX]; /* NULL: nothing is here */
};

/* Is this text of the list used? */
typedef bool (*load_text_used_fn)(void *ctx, char *text);

void load_texts_clear(struct load_texts *texts);

/* Replace *text by the kept copy of it, valid as long as it is used; NULL and "" by NULL.
 * `what` begins the sentence that says it is too long. ERR_INVALID_REQUEST (too long) and
 * ERR_QUEUE_FULL (too many are used). */
bool load_texts_intern(struct load_texts *texts, const char *what, load_text_used_fn used,
                       void *ctx, const char **text, struct error *err);

#endif
