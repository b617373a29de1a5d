/* SPDX-License-Identifier: MIT */
/*
 * schema_refs.h - rewrites the references of a JSON schema in the one form that both libraries
 * follow: "#", or a pointer from the root with unescaped names. Pure.
 *
 * What else the standard has - escapes (~0, ~1, %25), $id, $anchor, a $dynamicRef or
 * $recursiveRef that can mean only one schema - then leads to a copy below $defs. Nothing is
 * fetched: other documents are not available.
 */
#ifndef DOZE_ENGINE_SCHEMA_REFS_H
#define DOZE_ENGINE_SCHEMA_REFS_H

#include <stdbool.h>
#include <yyjson.h>

#include "base/error.h"

/* Most references that are rewritten, and values that are copied for them. */
enum { SCHEMA_REFS_MAX = 1000, SCHEMA_REFS_COPIES_MAX = 200000 };

/* What happens to a reference that cannot be followed. KEEP: it stays, for others to refuse.
 * DROP: one to another document is removed, and one that leads nowhere is an error. */
enum schema_refs_lost { SCHEMA_REFS_KEEP, SCHEMA_REFS_DROP };

/* Rewrite them, in a document whose root is the schema, an object. json_parse() has limited
 * the nesting. ret_dropped: some were removed. The error is the end of a sentence. */
bool schema_refs_write(yyjson_mut_doc *doc, enum schema_refs_lost lost, bool *ret_dropped,
                       struct error *err) __attribute__((warn_unused_result));

/* Where a pointer of that form ("#/...") leads from the root, as libllama-common follows it;
 * NULL: nowhere, or it is of another form. */
yyjson_mut_val *schema_refs_follow(yyjson_mut_val *root, const char *ref);

#endif
