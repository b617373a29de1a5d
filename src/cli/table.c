/* SPDX-License-Identifier: MIT */
#include "cli/table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "cli/text.h"

enum { GAP = 4, MAX_CELL = 4096 };

void table_init(struct table *t, const char *const *header, size_t columns) {
    assert(columns > 0 && columns <= TABLE_MAX_COLUMNS);
    *t = (struct table){ .columns = columns };
    for (size_t i = 0; i < columns; i++) table_add(t, header[i]);
}

void table_clear(struct table *t) {
    for (size_t i = 0; i < t->cells; i++) free(t->cell[i]);
    free(t->cell);
    *t = (struct table){ 0 };
}

static void flatten(char *text) {
    for (; *text; text++) {
        if (*text == '\n' || *text == '\t') *text = ' ';
    }
}

void table_add(struct table *t, const char *text) {
    struct buf safe = BUF_INIT(MAX_CELL);
    text_add_safe(&safe, text, strnlen(text, MAX_CELL));
    if (t->cells == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 64;
        t->cell = xrealloc(t->cell, t->cap * sizeof *t->cell);
    }
    t->cell[t->cells] = buf_take(&safe);
    flatten(t->cell[t->cells++]);
}

static int cell_width(const struct table *t, size_t i) {
    return text_width(t->cell[i], strlen(t->cell[i]));
}

/* The last cell of a row that is not empty: nothing is printed after it. */
static size_t last_used(const struct table *t, size_t row, size_t count) {
    size_t last = 0;
    for (size_t c = 0; c < count; c++) {
        if (t->cell[row * t->columns + c][0]) last = c;
    }
    return last;
}

static void print_row(const struct table *t, size_t row, const int *widths, FILE *out) {
    size_t left = t->cells - row * t->columns;
    size_t last = last_used(t, row, left < t->columns ? left : t->columns);
    for (size_t c = 0; c <= last; c++) {
        size_t i = row * t->columns + c;
        int pad = c == last ? 0 : widths[c] - cell_width(t, i) + GAP;
        fprintf(out, "%s%*s", t->cell[i], pad, "");
    }
}

void table_print(const struct table *t, FILE *out) {
    int widths[TABLE_MAX_COLUMNS] = { 0 };
    for (size_t i = 0; i < t->cells; i++) {
        int width = cell_width(t, i);
        if (width > widths[i % t->columns]) widths[i % t->columns] = width;
    }
    for (size_t row = 0; row * t->columns < t->cells; row++) {
        fputs(text_begin(out, row == 0 ? STYLE_BOLD : STYLE_PLAIN), out);
        print_row(t, row, widths, out);
        fputs(row == 0 ? text_end(out) : "", out);
        fputc('\n', out);
    }
}
