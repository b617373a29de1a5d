/* SPDX-License-Identifier: MIT */
#include "cli/table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "cli/text.h"

enum { GAP = 4, NARROW_GAP = 2, MAX_CELL = 4096 };

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

void table_add(struct table *t, const char *text) {
    struct buf safe = BUF_INIT(MAX_CELL);
    text_add_safe(&safe, text, strnlen(text, MAX_CELL));
    if (t->cells == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 64;
        t->cell = xrealloc(t->cell, t->cap * sizeof *t->cell);
    }
    char *cell = buf_take(&safe);
    t->cell[t->cells++] = cell;
    for (; *cell; cell++) {
        if (*cell == '\n' || *cell == '\t') *cell = ' ';
    }
}

/* --- the widths --- */

struct layout {
    int width[TABLE_MAX_COLUMNS];
    int least[TABLE_MAX_COLUMNS]; /* of the longest word */
    int gap;
};

static int layout_width(const struct layout *l, size_t columns) {
    int total = 0;
    for (size_t c = 0; c < columns; c++) total += l->width[c] + (c ? l->gap : 0);
    return total;
}

static int widest_word(const char *text) {
    int widest = 0;
    for (size_t len; (len = text_word(text)) > 0; text += len) {
        int width = text_width(text, text[len - 1] == ' ' ? len - 1 : len);
        if (width > widest) widest = width;
    }
    return widest;
}

/* The widest column that can still be narrowed; `columns` if there is none. */
static size_t widest_column(const struct layout *l, size_t columns) {
    size_t widest = columns;
    for (size_t c = 0; c < columns; c++) {
        if (l->width[c] == l->least[c]) continue;
        if (widest == columns || l->width[c] > l->width[widest]) widest = c;
    }
    return widest;
}

static struct layout table_lay_out(const struct table *t, int limit) {
    struct layout l = { .gap = GAP };
    for (size_t i = 0; i < t->cells; i++) {
        size_t c = i % t->columns;
        int width = text_width(t->cell[i], strlen(t->cell[i]));
        int word = widest_word(t->cell[i]);
        if (width > l.width[c]) l.width[c] = width;
        if (word > l.least[c]) l.least[c] = word;
    }
    if (limit == 0) return l;
    if (layout_width(&l, t->columns) > limit) l.gap = NARROW_GAP;
    while (layout_width(&l, t->columns) > limit) {
        size_t c = widest_column(&l, t->columns);
        if (c == t->columns) break;
        l.width[c]--;
    }
    return l;
}

/* --- printing --- */

/* Bytes of the words at the front of the text that fit into the width. */
static size_t line_len(const char *text, int width) {
    size_t len = 0, word;
    while ((word = text_word(text + len)) > 0) {
        size_t next = len + word;
        if (text_width(text, text[next - 1] == ' ' ? next - 1 : next) > width) break;
        len = next;
    }
    return len;
}

/* Print one line of a row and move each cell's text past it. */
static void table_print_line(const struct layout *l, const char **texts, size_t count,
                             enum text_style style, FILE *out) {
    int behind = 0; /* blank columns since the last text */
    fputs(text_begin(out, style), out);
    for (size_t c = 0; c < count; c++) {
        size_t len = line_len(texts[c], l->width[c]);
        size_t shown = len > 0 && texts[c][len - 1] == ' ' ? len - 1 : len;
        if (shown > 0) fprintf(out, "%*s%.*s", behind, "", (int)shown, texts[c]);
        if (shown > 0) behind = 0;
        behind += l->width[c] - text_width(texts[c], shown) + l->gap;
        texts[c] += len;
    }
    fputs(style == STYLE_PLAIN ? "" : text_end(out), out);
    fputc('\n', out);
}

static bool has_text(const char *const *texts, size_t count) {
    for (size_t c = 0; c < count; c++) {
        if (*texts[c]) return true;
    }
    return false;
}

void table_print(const struct table *t, FILE *out, int limit) {
    struct layout l = table_lay_out(t, limit);
    for (size_t at = 0; at < t->cells; at += t->columns) {
        const char *texts[TABLE_MAX_COLUMNS];
        size_t count = t->cells - at < t->columns ? t->cells - at : t->columns;
        for (size_t c = 0; c < count; c++) texts[c] = t->cell[at + c];
        do {
            table_print_line(&l, texts, count, at == 0 ? STYLE_BOLD : STYLE_PLAIN, out);
        } while (has_text(texts, count));
    }
}

void table_show(struct table *t) {
    table_print(t, stdout, isatty(STDOUT_FILENO) ? text_columns(stdout) : 0);
    table_clear(t);
}
