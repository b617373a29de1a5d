/* SPDX-License-Identifier: MIT */
/*
 * setting_table.h - the settings as a person writes and reads them: words, units, what they
 * mean. Pure. docs/settings.md describes them; the server checks the values.
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
    const char *initial; /* JSON that sets it back */
    const char *meaning; /* a few words, without a full stop */
};

extern const struct setting setting_table[];
extern const size_t setting_table_count;

/* NULL for a name that only the server knows, which may be newer. */
const struct setting *setting_find(const char *name);

/* The value that the text stands for; it belongs to doc. setting: NULL: JSON if it is JSON,
 * else a word. NULL with a sentence if the text does not fit the kind. */
yyjson_mut_val *setting_parse(const struct setting *setting, const char *text,
                              yyjson_mut_doc *doc, struct error *err);

/* Append the value with its unit: "1h30m", "4.29 GB", "none"; as JSON what has no unit, strings
 * without quotes. setting: as above. */
void setting_format(const struct setting *setting, yyjson_val *val, struct buf *out);

#endif
