/* SPDX-License-Identifier: MIT */
/*
 * buf.h - a byte buffer that grows up to a maximum.
 *
 * An append that would pass the maximum stores nothing and marks the buffer as overflowed; all
 * later ones fail too. So a chain of appends needs one check, at its end.
 */
#ifndef DOZE_BASE_BUF_H
#define DOZE_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct buf {
    char *data; /* NUL-terminated; NULL until something is appended */
    size_t len;
    size_t cap;
    size_t max;
    bool overflowed;
};

#define BUF_INIT(limit)                                                                        \
    { .max = (limit) }

void buf_init(struct buf *b, size_t max);

/* Free the bytes; the buffer can be used again. Accepts a zeroed one. */
void buf_clear(struct buf *b);

/* Remove the bytes and keep the memory. */
void buf_reset(struct buf *b);

/* Append; false, with nothing appended, if the maximum would be passed. */
bool buf_add(struct buf *b, const void *bytes, size_t len);
bool buf_add_str(struct buf *b, const char *text);
bool buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same with bytes of malloc and the NUL behind them, which it takes in any case. */
bool buf_add_taking(struct buf *b, char *bytes, size_t len);

/* Room for len more bytes, which the caller fills and then adds to b->len; NULL if the maximum
 * would be passed. */
char *buf_reserve(struct buf *b, size_t len);

/* Remove len bytes from the front. */
void buf_drop(struct buf *b, size_t len);

/* The same, and free the memory if nothing is left and it is more than `most` bytes. */
void buf_drop_shrink(struct buf *b, size_t len, size_t most);

/* Give the bytes to the caller, who frees with free(); the buffer is empty then. Never NULL. */
char *buf_take(struct buf *b);

/* The text; "" if the buffer is empty. Borrowed until the next change. */
const char *buf_str(const struct buf *b);

#endif
