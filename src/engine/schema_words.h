/* SPDX-License-Identifier: MIT */
/*
 * schema_words.h - replaces keywords of a JSON schema that llguidance does not know by those
 * that it knows, where they mean exactly the same. Pure.
 *
 *   propertyNames               properties, or patternProperties
 *   dependentRequired, dependentSchemas, dependencies   anyOf: without the property, or as told
 *   unevaluatedProperties, unevaluatedItems   additionalProperties, items; where nothing beside
 *                               them evaluates anything
 *   contains, uniqueItems       nothing, or minItems, where they mean no more
 *   not, if                     the other schema (schema_not.h); either both or neither
 */
#ifndef DOZE_ENGINE_SCHEMA_WORDS_H
#define DOZE_ENGINE_SCHEMA_WORDS_H

#include <stdbool.h>
#include <yyjson.h>

/* Dependencies of one object: each doubles the alternatives. */
enum { SCHEMA_DEPENDENCIES_MAX = 4 };

/* Rewrite one schema, an object, but not those inside it. alternatives: also rewrite what
 * becomes several forms, whose number multiplies over a schema. */
void schema_words_tidy(yyjson_mut_doc *doc, yyjson_mut_val *schema, bool alternatives);

#endif
