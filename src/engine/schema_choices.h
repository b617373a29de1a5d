/* SPDX-License-Identifier: MIT */
/*
 * schema_choices.h - references among the schemas of a oneOf, written out one level deep:
 * llguidance sees that alternatives exclude one another (by a property with one value each, as
 * code generators write unions) only where they stand in their place. Pure.
 */
#ifndef DOZE_ENGINE_SCHEMA_CHOICES_H
#define DOZE_ENGINE_SCHEMA_CHOICES_H

#include <yyjson.h>

/* Alternatives of one list, and values that are copied; what would be more is kept. */
enum { SCHEMA_CHOICES_LIST_MAX = 256, SCHEMA_CHOICES_MAX = 20000 };

/* The root is a schema, an object, whose references are plain (schema_refs.h). The caller of
 * json_parse() has limited the nesting. */
void schema_choices_write_out(yyjson_mut_doc *doc);

#endif
