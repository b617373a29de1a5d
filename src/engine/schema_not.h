/* SPDX-License-Identifier: MIT */
/*
 * schema_not.h - the schema of everything that does not match another schema, in keywords that
 * llguidance knows, where that can be expressed exactly. Pure.
 *
 * Known: type (but not "integer" alone), const and enum of strings, numbers, booleans and null,
 * bounds and lengths, required, properties, anyOf, allOf and not of these.
 */
#ifndef DOZE_ENGINE_SCHEMA_NOT_H
#define DOZE_ENGINE_SCHEMA_NOT_H

#include <yyjson.h>

/* Most values of one enum; most bytes of the strings among them. */
enum { SCHEMA_NOT_VALUES_MAX = 16, SCHEMA_NOT_BYTES_MAX = 256 };

/* A new value of the document; NULL: it cannot be expressed. The caller of json_parse() has
 * limited the nesting. */
yyjson_mut_val *schema_not(yyjson_mut_doc *doc, yyjson_mut_val *schema);

#endif
