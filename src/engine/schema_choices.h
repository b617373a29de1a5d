/* SPDX-License-Identifier: MIT */
/*
 * schema_choices.h - replaces references among the schemas of a oneOf by what they refer to,
 * one level deep: only then does llguidance see that alternatives exclude one another (by a
 * property with one value each, as code generators write unions). Pure.
 */
#ifndef DOZE_ENGINE_SCHEMA_CHOICES_H
#define DOZE_ENGINE_SCHEMA_CHOICES_H

#include <yyjson.h>

/* Most alternatives of one list, and values that are copied; references beyond that are
 * kept. */
enum { SCHEMA_CHOICES_LIST_MAX = 256, SCHEMA_CHOICES_MAX = 20000 };

/* The root is a schema, an object, whose references are plain (schema_refs.h). The caller of
 * json_parse() has limited the nesting. */
void schema_choices_write_out(yyjson_mut_doc *doc);

#endif
