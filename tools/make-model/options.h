/* SPDX-License-Identifier: MIT */
/*
 * options.h - the command line of one command, described by a table.
 */
#ifndef DOZE_TOOLS_OPTIONS_H
#define DOZE_TOOLS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum option_kind {
    OPTION_TEXT,  /* const char * */
    OPTION_COUNT, /* int64_t of min..max */
    OPTION_BYTES, /* int64_t of min..max, with a suffix K, M or G (powers of 1024) */
    OPTION_REAL,  /* double of min..max */
    OPTION_FLAG,  /* bool, no value */
    OPTION_WORD,  /* const char *, one of the words in `words` (separated by |) */
};

struct option_spec {
    const char *name;
    enum option_kind kind;
    size_t offset;     /* of the field in the struct that is filled */
    const char *words; /* OPTION_WORD: the choice; else what the help shows as the value */
    int64_t min, max;
    const char *help;
};

struct command_spec {
    const char *name, *summary;
    const struct option_spec *options; /* ends with a NULL name */
};

/* Fill the struct `into` from argv (argv[0] is the command's name). Texts are borrowed from
 * argv. *ret_help: --help was asked and printed on stdout. Fails in a sentence naming the
 * option. */
bool options_parse(const struct command_spec *command, int argc, char **argv, void *into,
                   bool *ret_help, struct error *err);

/* Fails unless the text was given. */
bool options_require(const char *value, const char *name, struct error *err);

#endif
