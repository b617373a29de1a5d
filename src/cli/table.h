/* SPDX-License-Identifier: MIT */
/* table.h - rows of text in columns that are as wide as their widest cell (display width). */
#ifndef DOZE_CLI_TABLE_H
#define DOZE_CLI_TABLE_H

#include <stddef.h>
#include <stdio.h>

enum { TABLE_MAX_COLUMNS = 10 };

struct table {
    size_t columns;
    size_t cells, cap;
    char **cell; /* row by row; the first row is the header. Owned */
};

/* The header row has `columns` names, at most TABLE_MAX_COLUMNS. */
void table_init(struct table *t, const char *const *header, size_t columns);
void table_clear(struct table *t);

/* Add the next cell, left to right; the text is copied and made safe (text.h). */
void table_add(struct table *t, const char *text);

/* Print the rows: columns four spaces apart, no trailing spaces, the header bold on a terminal.
 * A table wider than `limit` columns (0: no limit) is narrowed: to gaps of two spaces, by
 * leaving out columns that are empty or say what the one to their left says, by breaking cells
 * into several lines between words (text_word), and, where these are too long, by shortening
 * them in the middle, but for the header's. Where that is not enough, each row is a few lines:
 * its first text, then the names and texts of the others. */
void table_print(const struct table *t, FILE *out, int limit);

/* Print on stdout, within the width of the terminal if it is one, and clear the table. */
void table_show(struct table *t);

#endif
