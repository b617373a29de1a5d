/* SPDX-License-Identifier: MIT */
/* overflow.h - what happens to a text that is longer than the context. Pure. */
#ifndef DOZE_ENGINE_OVERFLOW_H
#define DOZE_ENGINE_OVERFLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum overflow {
    OVERFLOW_STOP,   /* a prompt is refused, an answer ends */
    OVERFLOW_MIDDLE, /* the beginning and the end stay */
    OVERFLOW_OLDEST, /* the end stays, and the very first token, which is often a marker */
};

/* "stop", "truncate_middle", "rolling_window"; false: another word. */
bool overflow_parse(const char *word, enum overflow *ret);

/* How much of a context of `length` tokens a cut text fills; the rest is for what follows. */
size_t overflow_room(size_t length);

/* Cut the text to `room` tokens, at least 2, in place. How many are left. */
size_t overflow_cut(enum overflow overflow, int32_t *tokens, size_t count, size_t room);

#endif
