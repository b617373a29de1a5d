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
#include "base/xalloc.h"

/* What getopt_long returns for a long option: LONG_BASE + index into rows. */
enum { LONG_BASE = 0x100 };

/* The sets in the form that getopt_long takes. */
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
    if (!row->letter || strchr(l->shorts, row->letter)) return; /* an earlier set has it */
    size_t len = strlen(l->shorts);
    l->shorts[len] = row->letter;
    if (has_arg == required_argument) l->shorts[len + 1] = ':';
}

static void layout_init(struct layout *l, const struct option_sets *sets) {
    memset(l, 0, sizeof *l);
    snprintf(l->shorts, sizeof l->shorts, "%s", sets->until_word ? "+:" : "-:");
    for (size_t s = 0; s < sets->count; s++) {
        for (size_t i = 0; i < sets->sets[s].count; i++) {
            layout_add(l, &sets->sets[s].rows[i], sets->sets[s].target);
        }
    }
}

/* The row of a value that getopt_long returned; count if there is none. */
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

static bool read_list(const struct option_row *row, const char *text, struct option_list *list,
                      struct error *err) {
    if (list->count == OPTION_LIST_MAX) {
        return error_set(err, ERR_INVALID_REQUEST, "--%s can be given %d times at most.",
                         row->name, OPTION_LIST_MAX);
    }
    list->texts[list->count++] = text;
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
    case OPTION_LIST:
        return read_list(row, text, field, err);
    }
    assert(false && "option_kind");
    return false;
}

static bool fail_missing(const struct layout *l, int option, struct error *err) {
    const struct option_row *row = l->rows[layout_find(l, option)];
    return error_set(err, ERR_INVALID_REQUEST, "--%s needs a value: --%s %s.", row->name,
                     row->name, row->arg);
}

static bool fail_unknown_option(int letter, const char *word, struct error *err) {
    if (letter == 0) {
        return error_set(err, ERR_INVALID_REQUEST, "Unknown or incomplete option '%s'.", word);
    }
    if (letter >= LONG_BASE) {
        return error_set(err, ERR_INVALID_REQUEST, "The option in '%s' takes no value.", word);
    }
    return error_set(err, ERR_INVALID_REQUEST, "Unknown option '-%c'.", letter);
}

/* What is left when the options are taken out, in order. */
struct rest {
    char **args;
    int count;
};

/* With a leading "-" getopt_long returns each other argument as an option of this value. To it
 * "-1" is an option; here it is a number, so that getopt_long starts again after it. at: the
 * element of argv that getopt_long takes for argv[0]. */
enum { ARGUMENT = 1 };

static bool parse_all(const struct layout *l, int argc, char **argv, struct rest *rest, int *at,
                      struct error *err) {
    optind = 0; /* glibc: start over */
    for (;;) {
        int element = *at + (optind ? optind : 1);
        int value = getopt_long(argc - *at, argv + *at, l->shorts, l->longs, NULL);
        if (value == -1) return true;
        if (value == ARGUMENT) {
            rest->args[rest->count++] = optarg;
        } else if (value == '?' && isdigit((unsigned char)argv[element][1])) {
            rest->args[rest->count++] = argv[element];
            *at = element;
            optind = 0;
        } else if (value == ':') {
            return fail_missing(l, optopt, err);
        } else if (value == '?') {
            return fail_unknown_option(optopt, argv[*at + optind - 1], err);
        } else {
            size_t i = layout_find(l, value);
            if (!row_read(l->rows[i], l->targets[i], optarg, err)) return false;
        }
    }
}

bool options_parse(const struct option_sets *sets, int argc, char **argv, int *ret_first,
                   struct error *err) {
    struct layout layout;
    struct rest rest = { xcalloc((size_t)argc + 1, sizeof *rest.args), 0 };
    int at = 0;
    layout_init(&layout, sets);
    opterr = 0;
    bool ok = parse_all(&layout, argc, argv, &rest, &at, err);
    if (ok) {
        for (int i = at + optind; i < argc; i++) rest.args[rest.count++] = argv[i];
        *ret_first = argc - rest.count;
        for (int i = 0; i < rest.count; i++) argv[*ret_first + i] = rest.args[i];
    }
    free(rest.args);
    return ok;
}
