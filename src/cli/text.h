/* SPDX-License-Identifier: MIT */
/*
 * text.h - text for a terminal: its width, its safety, its colours.
 *
 * Names and answers come from files and models. Control characters in them could move the
 * cursor or reprogram the terminal, so they are replaced before they are shown.
 */
#ifndef DOZE_CLI_TEXT_H
#define DOZE_CLI_TEXT_H

#include <stdbool.h>
#include <stdio.h>

#include "base/buf.h"

/* Set the character type to UTF-8, which the calls below need. Once, at the start. */
void text_init(void);

/* Columns the UTF-8 text takes. Bytes that are not UTF-8, and control characters, count 1. */
int text_width(const char *text, size_t len);

/* Bytes of the first word: up to and with the character after which a line may be broken, a
 * space or one of "-_/@". "397.81 MB" is one word. 0 at the end of the text. */
size_t text_word(const char *text);

/* Append the text with '?' for every control character but newline and tab (C0, DEL, C1) and
 * for bytes that are not UTF-8. */
void text_add_safe(struct buf *out, const char *text, size_t len);

/* Append the text, if it is wider than the width with its middle replaced by "…". */
void text_add_short(struct buf *out, const char *text, size_t len, int width);

enum text_style { STYLE_PLAIN, STYLE_BOLD, STYLE_DIM, STYLE_GREEN, STYLE_YELLOW, STYLE_RED };

/* Is the stream a terminal that obeys escape sequences (TERM not "dumb")? */
bool text_moves_cursor(FILE *stream);

/* Is the stream a terminal that shows colours (NO_COLOR unset, TERM not "dumb")? */
bool text_colored(FILE *stream);

/* The escape sequences that begin and end the style; "" if the stream is not coloured. */
const char *text_begin(FILE *stream, enum text_style style);
const char *text_end(FILE *stream);

/* Columns of the terminal; 80 if the stream is not one. */
int text_columns(FILE *stream);

#endif
