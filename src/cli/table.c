/* SPDX-License-Identifier: MIT */
#include "cli/table.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "cli/text.h"

enum {
    GAP = 4,
    NARROW_GAP = 2,
    MAX_CELL = 4096,
    INDENT = 2,      /* of a row's lines below the first */
    SHORT_WORD = 12, /* columns that are left of a word at least: a time is not cut */
};

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
    int width[TABLE_MAX_COLUMNS]; /* 0: not shown */
    int least[TABLE_MAX_COLUMNS]; /* of the longest word */
    int name[TABLE_MAX_COLUMNS];  /* of the header's longest word */
    int gap;
};

static int layout_width(const struct layout *l, size_t columns) {
    int total = 0;
    for (size_t c = 0; c < columns; c++) {
        if (l->width[c] > 0) total += l->width[c] + (total > 0 ? l->gap : 0);
    }
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

static void measure(const struct table *t, struct layout *l) {
    for (size_t i = 0; i < t->cells; i++) {
        size_t c = i % t->columns;
        int width = text_width(t->cell[i], strlen(t->cell[i]));
        int word = widest_word(t->cell[i]);
        if (width > l->width[c]) l->width[c] = width;
        if (word > l->least[c]) l->least[c] = word;
        if (i < t->columns) l->name[c] = word;
    }
}

/* Below its header, has the column no text, or that of the column to its left only? */
static bool says_nothing(const struct table *t, size_t column) {
    bool empty = true, same = column > 0;
    for (size_t i = t->columns + column; i < t->cells; i += t->columns) {
        empty = empty && !*t->cell[i];
        same = same && strcmp(t->cell[i], t->cell[i - 1]) == 0;
    }
    return empty || same;
}

/* From the last one on, so that of three that are the same the first is left. */
static void drop_columns(const struct table *t, struct layout *l, int limit) {
    for (size_t c = t->columns; c-- > 0 && layout_width(l, t->columns) > limit;) {
        if (says_nothing(t, c)) l->width[c] = 0;
    }
}

/* Narrow the widest column by one. Words that are longer than `longest` need not stay whole,
 * but those of the header. False: no column is wider than it has to be. */
static bool narrow(struct layout *l, size_t columns, int longest) {
    size_t widest = columns;
    for (size_t c = 0; c < columns; c++) {
        int least = l->least[c] < longest ? l->least[c] : longest;
        if (least < l->name[c]) least = l->name[c];
        if (l->width[c] <= least) continue;
        if (widest == columns || l->width[c] > l->width[widest]) widest = c;
    }
    if (widest == columns) return false;
    l->width[widest]--;
    return true;
}

static struct layout table_lay_out(const struct table *t, int limit) {
    struct layout l = { .gap = GAP };
    measure(t, &l);
    if (limit == 0) return l;
    if (layout_width(&l, t->columns) > limit) l.gap = NARROW_GAP;
    drop_columns(t, &l, limit);
    while (layout_width(&l, t->columns) > limit) {
        if (!narrow(&l, t->columns, INT_MAX) && !narrow(&l, t->columns, SHORT_WORD)) break;
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

/* The line of the text that fits into the width, in `out`; the text moves past it. */
static void take_line(const char **text, int width, struct buf *out) {
    size_t len = line_len(*text, width);
    if (len == 0) len = text_word(*text);
    size_t shown = len > 0 && (*text)[len - 1] == ' ' ? len - 1 : len;
    buf_reset(out);
    text_add_short(out, *text, shown, width);
    *text += len;
}

/* Print one line of a row and move each cell's text past it. */
static void table_print_line(const struct layout *l, const char **texts, size_t count,
                             enum text_style style, FILE *out) {
    struct buf line = BUF_INIT(MAX_CELL);
    int behind = 0; /* blank columns since the last text */
    fputs(text_begin(out, style), out);
    for (size_t c = 0; c < count; c++) {
        if (l->width[c] == 0) continue;
        take_line(&texts[c], l->width[c], &line);
        if (line.len > 0) fprintf(out, "%*s%s", behind, "", buf_str(&line));
        if (line.len > 0) behind = 0;
        behind += l->width[c] - text_width(buf_str(&line), line.len) + l->gap;
    }
    fputs(style == STYLE_PLAIN ? "" : text_end(out), out);
    fputc('\n', out);
    buf_clear(&line);
}

static bool has_text(const struct layout *l, const char *const *texts, size_t count) {
    for (size_t c = 0; c < count; c++) {
        if (l->width[c] > 0 && *texts[c]) return true;
    }
    return false;
}

static void print_rows(const struct table *t, const struct layout *l, FILE *out) {
    for (size_t at = 0; at < t->cells; at += t->columns) {
        const char *texts[TABLE_MAX_COLUMNS];
        size_t count = t->cells - at < t->columns ? t->cells - at : t->columns;
        for (size_t c = 0; c < count; c++) texts[c] = t->cell[at + c];
        do {
            table_print_line(l, texts, count, at == 0 ? STYLE_BOLD : STYLE_PLAIN, out);
        } while (has_text(l, texts, count));
    }
}

/* --- a row as lines, where columns have no room --- */

/* The text in as many lines as it needs, the name before the first of them. */
static void print_field(const char *name, int indent, const char *text, int limit, FILE *out) {
    struct buf line = BUF_INIT(MAX_CELL);
    int room = limit - indent, margin = indent < INDENT ? indent : INDENT;
    do {
        take_line(&text, room > SHORT_WORD ? room : SHORT_WORD, &line);
        int behind = indent - margin - text_width(name, strlen(name));
        fprintf(out, "%*s%s%*s%s\n", margin, "", name, behind > 0 ? behind : 0, "",
                buf_str(&line));
        name = "";
    } while (*text);
    buf_clear(&line);
}

/* How far the texts stand behind the longest name. */
static int names_width(const struct table *t, const struct layout *l) {
    int widest = 0;
    for (size_t c = 1; c < t->columns; c++) {
        int width = text_width(t->cell[c], strlen(t->cell[c]));
        if (l->width[c] > 0 && width > widest) widest = width;
    }
    return INDENT + widest + NARROW_GAP;
}

static void print_entries(const struct table *t, const struct layout *l, int limit, FILE *out) {
    int indent = names_width(t, l);
    for (size_t i = t->columns; i < t->cells; i++) {
        const char *name = t->cell[i % t->columns];
        if (l->width[i % t->columns] == 0 || !*t->cell[i]) continue;
        if (i % t->columns == 0) {
            fputs(text_begin(out, STYLE_BOLD), out);
            print_field("", 0, t->cell[i], limit, out);
            fputs(text_end(out), out);
        } else {
            print_field(name, *name ? indent : INDENT, t->cell[i], limit, out);
        }
    }
}

void table_print(const struct table *t, FILE *out, int limit) {
    struct layout l = table_lay_out(t, limit);
    if (limit == 0 || layout_width(&l, t->columns) <= limit)
        print_rows(t, &l, out);
    else
        print_entries(t, &l, limit, out);
}

void table_show(struct table *t) {
    table_print(t, stdout, isatty(STDOUT_FILENO) ? text_columns(stdout) : 0);
    table_clear(t);
}
