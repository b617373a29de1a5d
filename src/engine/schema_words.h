/* SPDX-License-Identifier: MIT */
/*
 * schema_words.h - what a JSON schema says in keywords that llguidance does not know, in those
 * that it knows, where that is exact. Pure.
 *
 *   propertyNames               properties, or patternProperties
 *   dependentRequired, dependentSchemas, dependencies   anyOf: without the property, or as told
 *   unevaluatedProperties, unevaluatedItems   additionalProperties, items; where nothing beside
 *                               them evaluates anything
 *   contains, uniqueItems, if   nothing, or minItems, where they mean no more
 */
#ifndef DOZE_ENGINE_SCHEMA_WORDS_H
#define DOZE_ENGINE_SCHEMA_WORDS_H

#include <yyjson.h>

/* Dependencies of one object: each doubles the alternatives. */
enum { SCHEMA_DEPENDENCIES_MAX = 4 };

/* Rewrite one schema, an object, without those in it. */
void schema_words_tidy(yyjson_mut_doc *doc, yyjson_mut_val *schema);

#endif
