/* SPDX-License-Identifier: MIT */
/*
 * gguf_cursor.h - the bytes of a GGUF header, read in order through a small window.
 *
 * Pure: the bytes come from a source the caller gives (a file, or memory in tests). Nothing is
 * mapped, so a file that shrinks meanwhile causes an error and not a signal. All numbers
 * are little endian. Every function fails with ERR_LOAD_FAILED when the header ends too early.
 */
#ifndef DOZE_CATALOG_GGUF_CURSOR_H
#define DOZE_CATALOG_GGUF_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

struct gguf_source {
    /* Copy len bytes at offset; false if they cannot be read. offset + len <= size. */
    bool (*read)(void *ctx, uint64_t offset, void *bytes, size_t len);
    void *ctx;
    uint64_t size; /* bytes of the whole file */
};

/* The largest known vocabularies make headers of 16 MiB. */
#define GGUF_HEADER_MAX ((uint64_t)128 << 20)

struct gguf_cursor {
    const struct gguf_source *source; /* kept as long as the cursor */
    uint64_t pos;                     /* next byte in the file */
    uint64_t end;                     /* no header byte lies at or past it */
    uint64_t window_start;
    size_t window_len;
    unsigned char window[64 << 10];
};

void gguf_cursor_init(struct gguf_cursor *c, const struct gguf_source *source);

bool gguf_cursor_u32(struct gguf_cursor *c, uint32_t *ret, struct error *err);
bool gguf_cursor_u64(struct gguf_cursor *c, uint64_t *ret, struct error *err);

/* The next len bytes; len <= 4096. Borrowed until the next call. NULL on failure. */
const unsigned char *gguf_cursor_bytes(struct gguf_cursor *c, size_t len, struct error *err);

/* Skip count items of width bytes, 1 <= width <= 8, in constant time. */
bool gguf_cursor_skip(struct gguf_cursor *c, uint64_t count, uint64_t width, struct error *err);

/* Gets each skipped string, in order. text: NULL if it is longer than 4096 bytes. */
typedef void gguf_look_fn(void *ctx, const char *text, uint64_t len);

/* A string is a u64 length and its bytes, without NUL. look may be NULL. */
bool gguf_cursor_skip_strings(struct gguf_cursor *c, uint64_t count, gguf_look_fn *look,
                              void *ctx, struct error *err);

/* Append the next string's bytes; what the buffer cannot hold is skipped. */
bool gguf_cursor_string(struct gguf_cursor *c, struct buf *out, struct error *err);

#endif
