/* SPDX-License-Identifier: MIT */
/*
 * buf.h - a byte buffer that grows up to a maximum given at birth.
 *
 * Bytes past the maximum are not stored and mark the buffer as overflowed; from then on it
 * takes nothing. So a chain of appends needs one check at its end.
 */
#ifndef DOZE_BASE_BUF_H
#define DOZE_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct buf {
    char *data; /* always NUL-terminated once anything was appended; NULL while empty and new */
    size_t len;
    size_t cap;
    size_t max;
    bool overflowed;
};

#define BUF_INIT(limit)                                                                        \
    { .max = (limit) }

void buf_init(struct buf *b, size_t max);

/* Free the bytes; the buffer may be used again. Accepts a zeroed one. */
void buf_clear(struct buf *b);

/* Forget the bytes, keep the memory. */
void buf_reset(struct buf *b);

/* Append; false if the maximum would be passed (then nothing is appended). */
bool buf_add(struct buf *b, const void *bytes, size_t len);
bool buf_add_str(struct buf *b, const char *text);
bool buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Room for len more bytes, to be filled by the caller, who then adds to b->len; NULL past max.
 */
char *buf_reserve(struct buf *b, size_t len);

/* Remove len bytes from the front. */
void buf_drop(struct buf *b, size_t len);

/* Give the bytes away (caller frees with free()); the buffer is empty afterwards. Never NULL.
 */
char *buf_take(struct buf *b);

/* The text, "" while empty. Borrowed until the next change. */
const char *buf_str(const struct buf *b);

#endif
