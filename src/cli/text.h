/* SPDX-License-Identifier: MIT */
/*
 * text.h - text for a terminal: how wide it is, what of it is safe to show, colours.
 *
 * Names and answers come from files and models: control characters in them could move the
 * cursor or change the terminal, so they are taken out before a person sees them.
 */
#ifndef DOZE_CLI_TEXT_H
#define DOZE_CLI_TEXT_H

#include <stdbool.h>
#include <stdio.h>

#include "base/buf.h"

/* Set the character type to UTF-8 for the calls below, and for these only. Once, at the
 * start. */
void text_init(void);

/* Columns the UTF-8 text takes. Bytes that are not UTF-8, and control characters, count 1. */
int text_width(const char *text, size_t len);

/* Append the text with '?' for every control character but newline and tab (C0, DEL, C1) and
 * for bytes that are not UTF-8. */
void text_add_safe(struct buf *out, const char *text, size_t len);

enum text_style { STYLE_PLAIN, STYLE_BOLD, STYLE_DIM, STYLE_GREEN, STYLE_YELLOW, STYLE_RED };

/* Is the stream a terminal that may be coloured (NO_COLOR unset, TERM not "dumb")? */
bool text_colored(FILE *stream);

/* The escape that begins the style, "" where the stream is not to be coloured; text_end ends
 * it. */
const char *text_begin(FILE *stream, enum text_style style);
const char *text_end(FILE *stream);

/* Columns of the terminal; 80 if it is none. */
int text_columns(FILE *stream);

#endif
