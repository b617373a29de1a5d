/* SPDX-License-Identifier: MIT */
/*
 * guidance_schema.h - JSON schemas in the form that llguidance reads, with what clients expect
 * although the standard does not say it. Pure.
 */
#ifndef DOZE_ENGINE_GUIDANCE_SCHEMA_H
#define DOZE_ENGINE_GUIDANCE_SCHEMA_H

#include <stdbool.h>
#include <yyjson.h>

#include "base/buf.h"
#include "base/error.h"

/* Most bytes of a schema and of one pattern; most patternProperties of one object. */
enum { SCHEMA_MAX = 1 << 20, PATTERN_MAX = 4096, PATTERN_PROPERTIES_MAX = 64 };

/* What llguidance does with keywords that it does not know: it refuses the schema; or they take
 * any value; loose: so do patternProperties, of which it knows those only that exclude one
 * another, and what becomes many alternatives. To the letter: any value, and no object is
 * closed. */
enum schema_care {
    SCHEMA_STRICT,
    SCHEMA_LENIENT,
    SCHEMA_LOOSE,
    SCHEMA_CARES,
    SCHEMA_LETTER = SCHEMA_CARES
};

/* Append the schema, an object, as JSON: objects that do not mention other properties are
 * closed, whole numbers have at most 16 digits, white space is one space, or one newline and
 * the indentation. A pattern with lookaround or back-references is left out, and its keyword
 * appended to `dropped`. The error is the end of a sentence. */
bool guidance_schema_write(yyjson_val *schema, enum schema_care care, struct buf *out,
                           struct buf *dropped, struct error *err)
    __attribute__((warn_unused_result));

/* Append a keyword to a list with commas between, unless it has it. */
void guidance_name_keyword(struct buf *list, const char *keyword, size_t len);

#endif
