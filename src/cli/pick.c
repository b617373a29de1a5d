/* SPDX-License-Identifier: MIT */
#include "cli/pick.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/size.h"
#include "cli/text.h"

enum { MAX_NAME = 1024, BESIDE = 17 /* columns of a number and a size */, WIDTH_MIN = 8 };

/* A name as a terminal may show it; the columns that it leaves of the width. */
static int print_name(const char *name, int width) {
    struct buf safe = BUF_INIT(MAX_NAME), shown = BUF_INIT(MAX_NAME + 4);
    text_add_safe(&safe, name, strnlen(name, MAX_NAME));
    text_add_short(&shown, buf_str(&safe), safe.len, width);
    int left = width - text_width(buf_str(&shown), shown.len);
    fputs(buf_str(&shown), stderr);
    buf_clear(&shown);
    buf_clear(&safe);
    return left;
}

/* Of the widest name, or what is left of a line. */
static int width_of_names(const struct pick_item *items, size_t count) {
    int widest = WIDTH_MIN, most = text_columns(stderr) - BESIDE;
    for (size_t i = 0; i < count; i++) {
        int width = text_width(items[i].name, strnlen(items[i].name, MAX_NAME));
        if (width > widest) widest = width;
    }
    if (most < WIDTH_MIN) most = WIDTH_MIN;
    return widest < most ? widest : most;
}

static void print_items(const struct pick_item *items, size_t count) {
    int width = width_of_names(items, count);
    for (size_t i = 0; i < count; i++) {
        char size[SIZE_TEXT];
        fprintf(stderr, "%4zu  ", i + 1);
        int left = print_name(items[i].name, width);
        if (items[i].size) {
            size_format(items[i].size, size);
            fprintf(stderr, "%*s  %9s", left, "", size);
        }
        fputs("\n", stderr);
    }
}

/* The index of an item by its number, its name, or a part of the name that no other has; count
 * if the word is none of these. */
static size_t find_item(const struct pick_item *items, size_t count, const char *word) {
    char *end = NULL;
    unsigned long n = strtoul(word, &end, 10);
    size_t found = count, hits = 0;
    if (*end == '\0' && n >= 1 && n <= count) return n - 1;
    for (size_t i = 0; i < count; i++) {
        if (strcasecmp(items[i].name, word) == 0) return i;
        if (!strcasestr(items[i].name, word)) continue;
        found = i;
        hits++;
    }
    return hits == 1 ? found : count;
}

static enum pick pick_ask(const struct pick_item *items, size_t count, size_t *ret_index) {
    char line[MAX_NAME];
    print_items(items, count);
    for (;;) {
        fprintf(stderr, "Which one (1-%zu, or a name)? ", count);
        if (!fgets(line, sizeof line, stdin)) return PICK_NONE;
        line[strcspn(line, "\n")] = '\0';
        if (!*line) return PICK_NONE;
        *ret_index = find_item(items, count, line);
        if (*ret_index < count) return PICK_ONE;
        fprintf(stderr, "'%s' is not one of them, or fits several.\n", line);
    }
}

enum pick pick_item(const struct pick_item *items, size_t count, size_t *ret_index) {
    if (count == 0) return PICK_NONE;
    *ret_index = 0;
    if (count == 1) return PICK_ONE;
    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) return PICK_MANY;
    return pick_ask(items, count, ret_index);
}

void pick_add_names(const struct pick_item *items, size_t count, struct buf *out) {
    static const char others[] = " and others";
    size_t shown = 0, max = out->max;
    out->max -= sizeof others - 1;
    while (shown < count && buf_addf(out, "%s%s", shown ? ", " : "", items[shown].name))
        shown++;
    out->max = max;
    out->overflowed = false;
    if (shown < count) buf_add_str(out, others);
}
