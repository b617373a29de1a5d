/* SPDX-License-Identifier: MIT */
/*
 * line_editor.h - reads lines that a person types on the terminal, with editing and history.
 *
 * A text that is pasted becomes part of the line, its newlines included (bracketed paste), so
 * that several lines are sent as one message.
 */
#ifndef DOZE_CLI_LINE_EDITOR_H
#define DOZE_CLI_LINE_EDITOR_H

#include "base/buf.h"
#include "base/error.h"

struct line_editor;

enum line {
    LINE_READ,
    LINE_INTERRUPTED, /* Ctrl-C: what was typed is discarded */
    LINE_END,         /* Ctrl-D on an empty line, or the terminal is gone */
};

/* interrupt_fd: see interrupt.h. history: the file that keeps the lines, or NULL; borrowed.
 * NULL if libedit is missing. */
struct line_editor *line_editor_open(int interrupt_fd, const char *history, struct error *err);
void line_editor_close(struct line_editor *e);

/* Show the prompt and read a line; *ret_line gets it without the newline at its end. */
enum line line_editor_read(struct line_editor *e, const char *prompt, struct buf *ret_line);

/* Keep a text in the history, on disk too as far as that is possible. */
void line_editor_remember(struct line_editor *e, const char *text);

#endif
