/* SPDX-License-Identifier: MIT */
/*
 * schema.h - rewrites JSON schemas for libllama-common: what it refuses although it has a
 * meaning is expressed in another way. Pure.
 */
#ifndef DOZE_ENGINE_SCHEMA_H
#define DOZE_ENGINE_SCHEMA_H

#include <stdbool.h>
#include <yyjson.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A rewritten copy of the schema, which is an object; the caller frees. loosen: what cannot be
 * enforced (a $ref that leads nowhere, an unknown type, an empty enum, ...) becomes any value;
 * otherwise it stays and is refused later. */
yyjson_doc *schema_write(yyjson_val *schema, bool loosen);

#ifdef __cplusplus
}
#endif

#endif
