/* SPDX-License-Identifier: MIT */
#include "cli/pick.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/size.h"
#include "cli/text.h"

enum { MAX_NAME = 1024, WIDTH_MAX = 60 /* with number and size a line of 80 */ };

/* A name as a terminal may show it, padded to the width if it is less. */
static void print_name(const char *name, size_t width) {
    struct buf safe = BUF_INIT(MAX_NAME);
    text_add_safe(&safe, name, strnlen(name, MAX_NAME));
    fprintf(stderr, "%-*s", (int)width, buf_str(&safe));
    buf_clear(&safe);
}

static void print_items(const struct pick_item *items, size_t count) {
    size_t width = 0;
    for (size_t i = 0; i < count; i++) {
        size_t len = strnlen(items[i].name, WIDTH_MAX);
        if (len > width) width = len;
    }
    for (size_t i = 0; i < count; i++) {
        char size[SIZE_TEXT];
        fprintf(stderr, "%4zu  ", i + 1);
        print_name(items[i].name, items[i].size ? width : 0);
        if (items[i].size) {
            size_format(items[i].size, size);
            fprintf(stderr, "  %9s", size);
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
