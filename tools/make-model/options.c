/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTIONS_MAX = 32 };

static void print_help(const struct command_spec *command) {
    printf("make-model %s: %s\n", command->name, command->summary);
    for (const struct option_spec *o = command->options; o->name; o++) {
        char left[64];
        (void)snprintf(left, sizeof left, "--%s %s", o->name, o->words ? o->words : "");
        printf("  %-34s %s\n", left, o->help);
    }
}

static bool is_one_of(const char *words, const char *text) {
    size_t len = strlen(text);

    for (const char *at = words; at; at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL)
        if (strcspn(at, "|") == len && strncmp(at, text, len) == 0) return true;
    return false;
}

static bool read_number(const struct option_spec *spec, const char *text, int64_t *ret_number,
                        struct error *err) {
    static const char suffixes[] = "KMG";
    const char *suffix;
    char *end;
    long long number;

    errno = 0;
    number = strtoll(text, &end, 10);
    suffix = spec->kind == OPTION_BYTES && *end ? strchr(suffixes, *end) : NULL;
    if (suffix) {
        int shift = 10 * (int)(suffix - suffixes + 1);
        end++;
        number = number < 0 || number > INT64_MAX >> shift ? -1 : number << shift;
    }
    if (errno || end == text || *end || number < spec->min || number > spec->max)
        return error_set_param(err, ERR_INVALID_REQUEST, spec->name,
                               "--%s takes a whole number from %lld to %lld, not \"%s\"",
                               spec->name, (long long)spec->min, (long long)spec->max, text);
    *ret_number = number;
    return true;
}

static bool read_real(const struct option_spec *spec, const char *text, double *ret_number,
                      struct error *err) {
    char *end;
    double number = strtod(text, &end);

    if (end == text || *end || !(number >= (double)spec->min && number <= (double)spec->max))
        return error_set_param(err, ERR_INVALID_REQUEST, spec->name,
                               "--%s takes a number from %lld to %lld, not \"%s\"", spec->name,
                               (long long)spec->min, (long long)spec->max, text);
    *ret_number = number;
    return true;
}

static bool read_option(const struct option_spec *spec, const char *text, void *into,
                        struct error *err) {
    void *field = (char *)into + spec->offset;

    switch (spec->kind) {
    case OPTION_FLAG:
        *(bool *)field = true;
        return true;
    case OPTION_COUNT:
    case OPTION_BYTES:
        return read_number(spec, text, field, err);
    case OPTION_REAL:
        return read_real(spec, text, field, err);
    case OPTION_WORD:
        if (!is_one_of(spec->words, text))
            return error_set_param(err, ERR_INVALID_REQUEST, spec->name,
                                   "--%s is one of %s, not \"%s\"", spec->name, spec->words,
                                   text);
        *(const char **)field = text;
        return true;
    case OPTION_TEXT:
        *(const char **)field = text;
        return true;
    }
    return false;
}

bool options_parse(const struct command_spec *command, int argc, char **argv, void *into,
                   bool *ret_help, struct error *err) {
    struct option longs[OPTIONS_MAX + 2] = { 0 };
    int count = 0, found;

    for (; count < OPTIONS_MAX && command->options[count].name; count++) {
        const struct option_spec *spec = &command->options[count];
        int takes = spec->kind == OPTION_FLAG ? no_argument : required_argument;
        longs[count] = (struct option){ spec->name, takes, NULL, count + 1 };
    }
    longs[count] = (struct option){ "help", no_argument, NULL, OPTIONS_MAX + 1 };
    *ret_help = false;
    optind = 0; /* a fresh scan: tests parse more than once */
    opterr = 0;
    while ((found = getopt_long(argc, argv, ":", longs, NULL)) != -1) {
        if (found == OPTIONS_MAX + 1) {
            print_help(command);
            *ret_help = true;
            return true;
        }
        if (found == ':' || found == '?')
            return error_set(
                err, ERR_INVALID_REQUEST, "%s %s; see make-model %s --help", argv[optind - 1],
                found == ':' ? "needs a value" : "is not an option of this command",
                command->name);
        if (!read_option(&command->options[found - 1], optarg, into, err)) return false;
    }
    if (optind < argc)
        return error_set(err, ERR_INVALID_REQUEST,
                         "\"%s\" is not an option; see make-model %s --help", argv[optind],
                         command->name);
    return true;
}

bool options_require(const char *value, const char *name, struct error *err) {
    return value || error_set_param(err, ERR_INVALID_REQUEST, name, "--%s is needed", name);
}
