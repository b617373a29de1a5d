/* SPDX-License-Identifier: MIT */
#include "cli/options.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"

enum { LONG_BASE = 0x100, HELP_COLUMN = 28 }; /* getopt's values: LONG_BASE + index into rows */

/* The sets laid out as getopt_long wants them. */
struct layout {
    const struct option_row *rows[OPTIONS_MAX];
    void *targets[OPTIONS_MAX];
    struct option longs[OPTIONS_MAX + 1];
    char shorts[2 * OPTIONS_MAX + 3];
    size_t count;
};

static void layout_add(struct layout *l, const struct option_row *row, void *target) {
    assert(l->count < OPTIONS_MAX);
    int has_arg = row->kind == OPTION_FLAG ? no_argument : required_argument;
    l->longs[l->count] = (struct option){ row->name, has_arg, NULL, LONG_BASE + (int)l->count };
    l->rows[l->count] = row;
    l->targets[l->count] = target;
    l->count++;
    if (!row->letter || strchr(l->shorts, row->letter)) return; /* the set before has it */
    size_t len = strlen(l->shorts);
    l->shorts[len] = row->letter;
    if (has_arg == required_argument) l->shorts[len + 1] = ':';
}

static void layout_init(struct layout *l, const struct option_sets *sets) {
    memset(l, 0, sizeof *l);
    snprintf(l->shorts, sizeof l->shorts, "%s", sets->until_word ? "+:" : ":");
    for (size_t s = 0; s < sets->count; s++) {
        for (size_t i = 0; i < sets->sets[s].count; i++) {
            layout_add(l, &sets->sets[s].rows[i], sets->sets[s].target);
        }
    }
}

/* The row that getopt's value means; count if none. */
static size_t layout_find(const struct layout *l, int value) {
    if (value >= LONG_BASE) return (size_t)(value - LONG_BASE);
    size_t i = 0;
    while (i < l->count && !(value > 0 && l->rows[i]->letter == value)) i++;
    return i;
}

static bool read_int(const struct option_row *row, const char *text, struct option_int *ret,
                     struct error *err) {
    char *end = NULL;
    errno = 0;
    long long n = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || n < row->min || n > row->max) {
        return error_set(err, ERR_INVALID_REQUEST,
                         "--%s takes a whole number from %lld to %lld, not '%s'.", row->name,
                         (long long)row->min, (long long)row->max, text);
    }
    *ret = (struct option_int){ true, n };
    return true;
}

bool option_ttl_parse(const char *text, struct option_ttl *ret) {
    msec span = MSEC_NEVER;
    bool never = strcmp(text, "none") == 0 || strcmp(text, "-1") == 0;
    if (!never && !duration_parse(text, &span)) return false;
    *ret = (struct option_ttl){ true, span };
    return true;
}

static bool read_ttl(const struct option_row *row, const char *text, struct option_ttl *ret,
                     struct error *err) {
    if (!option_ttl_parse(text, ret)) {
        return error_set(err, ERR_INVALID_REQUEST,
                         "--%s takes seconds (300), a span (5m, 1h30m) or none, not '%s'.",
                         row->name, text);
    }
    return true;
}

static bool row_read(const struct option_row *row, void *target, const char *text,
                     struct error *err) {
    void *field = (char *)target + row->offset;
    switch (row->kind) {
    case OPTION_FLAG:
        *(bool *)field = true;
        return true;
    case OPTION_TEXT:
        *(const char **)field = text;
        return true;
    case OPTION_INT:
        return read_int(row, text, field, err);
    case OPTION_TTL:
        return read_ttl(row, text, field, err);
    }
    assert(false && "option_kind");
    return false;
}

static bool tell_missing(const struct layout *l, int option, struct error *err) {
    const struct option_row *row = l->rows[layout_find(l, option)];
    return error_set(err, ERR_INVALID_REQUEST, "--%s needs a value: --%s %s.", row->name,
                     row->name, row->arg);
}

static bool tell_unknown(int letter, const char *word, struct error *err) {
    if (letter == 0) {
        return error_set(err, ERR_INVALID_REQUEST, "Unknown or incomplete option '%s'.", word);
    }
    if (letter >= LONG_BASE) {
        return error_set(err, ERR_INVALID_REQUEST, "The option in '%s' takes no value.", word);
    }
    return error_set(err, ERR_INVALID_REQUEST, "Unknown option '-%c'%s.", letter,
                     isdigit(letter) ? "; put -- before a value that begins with a minus" : "");
}

bool options_parse(const struct option_sets *sets, int argc, char **argv, int *ret_first,
                   struct error *err) {
    struct layout layout;
    layout_init(&layout, sets);
    opterr = 0;
    optind = 0; /* glibc: begin anew, with the new "+" */
    for (;;) {
        int value = getopt_long(argc, argv, layout.shorts, layout.longs, NULL);
        if (value == -1) break;
        if (value == ':') return tell_missing(&layout, optopt, err);
        if (value == '?') return tell_unknown(optopt, argv[optind - 1], err);
        size_t i = layout_find(&layout, value);
        if (!row_read(layout.rows[i], layout.targets[i], optarg, err)) return false;
    }
    *ret_first = optind;
    return true;
}

void options_add_help(const struct option_row *rows, size_t count, struct buf *out) {
    for (size_t i = 0; i < count; i++) {
        if (!rows[i].help) continue;
        size_t start = out->len;
        if (rows[i].letter) {
            buf_addf(out, "  -%c, --%s", rows[i].letter, rows[i].name);
        } else {
            buf_addf(out, "      --%s", rows[i].name);
        }
        if (rows[i].arg) buf_addf(out, " %s", rows[i].arg);
        int pad = HELP_COLUMN - (int)(out->len - start);
        buf_addf(out, "%*s%s\n", pad > 2 ? pad : 2, "", rows[i].help);
    }
}
