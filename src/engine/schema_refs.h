/* SPDX-License-Identifier: MIT */
/*
 * schema_refs.h - references of a JSON schema in the one form that both libraries follow: "#",
 * or a pointer from the root whose names are written as they are. Pure.
 *
 * What the standard has beside that - escapes (~0, ~1, %25), $id, $anchor, a $dynamicRef or
 * $recursiveRef that can mean one schema only - leads to a copy below $defs then. Nothing is
 * fetched: what stands in another document is not available.
 */
#ifndef DOZE_ENGINE_SCHEMA_REFS_H
#define DOZE_ENGINE_SCHEMA_REFS_H

#include <stdbool.h>
#include <yyjson.h>

#include "base/error.h"

/* References that are rewritten, and values that are copied for them. */
enum { SCHEMA_REFS_MAX = 1000, SCHEMA_REFS_COPIES_MAX = 200000 };

/* What becomes of a reference that cannot be followed: it is left for others to refuse; or the
 * schema does without one to another document, and one that leads nowhere is an error. */
enum schema_refs_lost { SCHEMA_REFS_KEEP, SCHEMA_REFS_DROP };

/* Rewrite them, in a document whose root is the schema, an object. The caller of json_parse()
 * has limited the nesting. ret_dropped: the schema does without some. What is wrong is said as
 * the end of a sentence. */
bool schema_refs_write(yyjson_mut_doc *doc, enum schema_refs_lost lost, bool *ret_dropped,
                       struct error *err) __attribute__((warn_unused_result));

/* Where a pointer of that form ("#/...") leads from the root, as libllama-common follows it;
 * NULL: nowhere, or it is of another form. */
yyjson_mut_val *schema_refs_follow(yyjson_mut_val *root, const char *ref);

#endif
