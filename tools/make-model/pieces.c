/* SPDX-License-Identifier: MIT */
#include "pieces.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

enum { PIECE_MIN = 2, PIECE_WISH = 10 };

static bool is_word(char c) {
    return isalnum((unsigned char)c) || (unsigned char)c >= 0x80 || c == '_';
}

static bool is_space(char c) {
    return c == ' ' || c == '\n' || c == '\t';
}

/* A word takes the space before it; punctuation stands alone. */
static bool is_boundary(const char *text, size_t start, size_t at) {
    if (at - start >= PIECE_WISH && (at - start) % PIECE_WISH == 0) return true;
    if (is_space(text[at])) return !is_space(text[at - 1]);
    return !is_space(text[at - 1]) && is_word(text[at]) != is_word(text[at - 1]);
}

static size_t next_end(const char *text, size_t len, size_t start, size_t from) {
    size_t at = from;

    while (at < len && (at - start < PIECE_MIN || !is_boundary(text, start, at))) at++;
    return at;
}

/* Free to use: no earlier piece reads the same, and it is not the whole of a control token. */
static bool is_free(const char *text, const size_t *ends, size_t count, size_t start,
                    size_t end) {
    size_t len = end - start, begin = 0;

    if (len < PIECE_MIN) return false;
    if (len >= 4 && memcmp(text + start, "<|", 2) == 0 && memcmp(text + end - 2, "|>", 2) == 0)
        return false;
    for (size_t i = 0; i < count; begin = ends[i++])
        if (ends[i] - begin == len && memcmp(text + begin, text + start, len) == 0)
            return false;
    return true;
}

/* Behind the first `fixed` pieces, which stay as they are. */
static size_t cut_from(const char *text, size_t len, size_t fixed, size_t *ends) {
    size_t count = fixed, start = fixed ? ends[fixed - 1] : 0;

    while (start < len) {
        size_t end = next_end(text, len, start, start + 1);

        while (end < len && !is_free(text, ends, count, start, end))
            end = next_end(text, len, start, end + 1);
        /* What is left at the end of the text goes into the pieces before it. */
        while (end == len && count > fixed && !is_free(text, ends, count, start, end)) {
            count--;
            start = count ? ends[count - 1] : 0;
        }
        ends[count++] = end;
        start = end;
    }
    return count;
}

size_t pieces_cut(const char *text, size_t len, size_t *ret_ends) {
    return cut_from(text, len, 0, ret_ends);
}

size_t pieces_cut_more(const char *text, size_t len, size_t count, size_t *ends) {
    size_t start = ends[count - 1], all = cut_from(text, len, count, ends);

    return all == count + 1 && !is_free(text, ends, count, start, len) ? count : all;
}
