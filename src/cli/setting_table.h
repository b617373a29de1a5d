/* SPDX-License-Identifier: MIT */
/*
 * setting_table.h - how a person writes and reads the settings: words, units, meaning. Pure.
 *
 * docs/settings.md describes the settings; the server checks the values.
 */
#ifndef DOZE_CLI_SETTING_TABLE_H
#define DOZE_CLI_SETTING_TABLE_H

#include <yyjson.h>

#include "base/buf.h"
#include "base/error.h"

enum setting_kind {
    SETTING_BOOL,
    SETTING_TTL,     /* seconds, or null for never */
    SETTING_SECONDS, /* no null */
    SETTING_MS,      /* milliseconds */
    SETTING_BYTES,   /* or null for no limit */
    SETTING_NUMBER,
    SETTING_WORD,
    SETTING_TEXT, /* or null */
    SETTING_JSON, /* an object */
};

struct setting {
    const char *name;
    enum setting_kind kind;
    const char *initial; /* the default, as JSON */
    const char *meaning; /* a few words, without a full stop */
};

extern const struct setting setting_table[];
extern const size_t setting_table_count;

/* NULL for an unknown name; the server may be newer and know it. */
const struct setting *setting_find(const char *name);

/* The value of the text; it belongs to doc. NULL with a sentence if the text does not fit the
 * kind. A NULL setting takes JSON, and any other text as a string. */
yyjson_mut_val *setting_parse(const struct setting *setting, const char *text,
                              yyjson_mut_doc *doc, struct error *err);

/* Append the value with its unit: "1h30m", "4.29 GB", "none"; of an object the names of the
 * members that are not null. Other values, and those of a NULL setting, are JSON, but strings
 * have no quotes. */
void setting_format(const struct setting *setting, yyjson_val *val, struct buf *out);

#endif
