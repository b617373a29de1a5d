/* SPDX-License-Identifier: MIT */
/*
 * options.h - a command's options as a table, which getopt_long reads and --help prints.
 *
 * A row names the member of a struct that the option fills. The struct is zeroed before, and
 * zero means "not given" for every kind.
 */
#ifndef DOZE_CLI_OPTIONS_H
#define DOZE_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/msec.h"

enum option_kind {
    OPTION_FLAG, /* bool */
    OPTION_TEXT, /* const char *, borrowed from argv */
    OPTION_INT,  /* struct option_int */
    OPTION_TTL,  /* struct option_ttl */
    OPTION_LIST, /* struct option_list */
};

struct option_int {
    bool given;
    int64_t value;
};

struct option_ttl {
    bool given;
    msec value; /* MSEC_NEVER: none */
};

enum { OPTION_LIST_MAX = 8 };

/* An option that may be given several times. */
struct option_list {
    const char *texts[OPTION_LIST_MAX]; /* borrowed from argv */
    size_t count;
};

struct option_row {
    const char *name; /* without the dashes */
    char letter;      /* 0: none */
    enum option_kind kind;
    size_t offset;
    const char *arg;  /* "<seconds>"; NULL for a flag */
    const char *help; /* NULL: another name of the row before, not shown */
    int64_t min, max; /* of OPTION_INT */
};

/* A row for a member of a struct; the member's type gives the kind. The last argument is the
 * help; an OPTION_INT continues with .min = 1, .max = 9. */
#define OPTION_IN(type, member, option_name, option_letter, option_arg, ...)                   \
    {                                                                                          \
        .name = (option_name), .letter = (option_letter), .kind = OPTION_KIND(type, member),   \
        .offset = offsetof(type, member), .arg = (option_arg), .help = __VA_ARGS__             \
    }
#define OPTION_KIND(type, member)                                                              \
    _Generic(((type *)0)->member, bool: OPTION_FLAG, const char *: OPTION_TEXT,                \
             struct option_int: OPTION_INT, struct option_ttl: OPTION_TTL,                     \
             struct option_list: OPTION_LIST)

/* The same for the command x, whose options fill a struct x_values. */
#define OPTION(x, member, name, letter, arg, ...)                                              \
    OPTION_IN(struct x##_values, member, name, letter, arg, __VA_ARGS__)
#define FLAG(x, member, name, letter, help)                                                    \
    OPTION_IN(struct x##_values, member, name, letter, NULL, help)

struct option_set {
    const struct option_row *rows;
    size_t count;
    void *target;
};

enum { OPTIONS_MAX = 32 }; /* rows of all sets together */

struct option_sets {
    const struct option_set *sets; /* a letter belongs to the first row that has it */
    size_t count;
    bool until_word; /* stop at the first argument that is not an option */
};

/* Read the options of argv, from argv[1] on, and move the other arguments to the end.
 * *ret_first: index of the first of these. Fails with a sentence about the option at fault. */
bool options_parse(const struct option_sets *sets, int argc, char **argv, int *ret_first,
                   struct error *err);

/* Read a ttl: a span as in base/duration.h, or "none" or "-1" for MSEC_NEVER. */
bool option_ttl_parse(const char *text, struct option_ttl *ret);

#endif
