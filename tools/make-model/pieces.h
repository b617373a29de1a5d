/* SPDX-License-Identifier: MIT */
/*
 * pieces.h - cuts a text into tokens of which no two are alike. Pure.
 *
 * A model that knows only the last token can say a text if every token occurs in it once.
 */
#ifndef DOZE_TOOLS_PIECES_H
#define DOZE_TOOLS_PIECES_H

#include <stddef.h>

/* Cut the text of len bytes (at least 2) into pieces of at least 2 bytes, all different, about
 * one per word; a piece may end inside a UTF-8 character, as real tokens do. ret_ends gets the
 * end offset of each; it has room for len / 2 entries. Gives their number; the last end is
 * len. */
size_t pieces_cut(const char *text, size_t len, size_t *ret_ends);

/* The same for a second text that follows the first: cut text[ends[count - 1]..len) into pieces
 * that differ from the `count` before them, too, and append their ends. Gives the new number;
 * `count` if it cannot be cut so. */
size_t pieces_cut_more(const char *text, size_t len, size_t count, size_t *ends);

#endif
