/* SPDX-License-Identifier: MIT */
/*
 * schema.h - JSON schemas as libllama-common reads them: what it refuses though it has a
 * meaning is written in another way. Pure.
 */
#ifndef DOZE_ENGINE_SCHEMA_H
#define DOZE_ENGINE_SCHEMA_H

#include <stdbool.h>
#include <yyjson.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A copy of a schema, which is an object. loosen: what cannot be kept (a $ref that leads
 * nowhere, an unknown type, an empty enum, ...) becomes any value; otherwise it stays and is
 * refused later. The caller frees. */
yyjson_doc *schema_write(yyjson_val *schema, bool loosen);

#ifdef __cplusplus
}
#endif

#endif
