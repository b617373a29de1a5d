/* SPDX-License-Identifier: MIT */
/*
 * options.h - a command's options as a table: getopt_long reads them, --help prints them.
 *
 * A row says which field of a struct the option fills. The struct starts zeroed, and zero
 * means "not given" for every kind.
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
};

struct option_int {
    bool given;
    int64_t value;
};

struct option_ttl {
    bool given;
    msec value; /* MSEC_NEVER: none */
};

struct option_row {
    const char *name; /* without the dashes */
    char letter;      /* 0: it has none */
    enum option_kind kind;
    size_t offset;
    int64_t min, max; /* of OPTION_INT */
    const char *arg;  /* "<seconds>"; NULL for a flag */
    const char *help; /* NULL: another name of the row before, not shown */
};

struct option_set {
    const struct option_row *rows;
    size_t count;
    void *target;
};

enum { OPTIONS_MAX = 32 }; /* rows of all sets together */

struct option_sets {
    const struct option_set *sets; /* of two rows with the same letter the first has it */
    size_t count;
    bool until_word; /* stop at the first argument that is no option */
};

/* Read the options of argv (argv[0] is skipped) and move the other arguments to the end;
 * *ret_first is the index of the first of them. Fails with a sentence about the option at
 * fault. */
bool options_parse(const struct option_sets *sets, int argc, char **argv, int *ret_first,
                   struct error *err);

/* Append the lines of --help for these rows. */
void options_add_help(const struct option_row *rows, size_t count, struct buf *out);

#endif
