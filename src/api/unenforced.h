/* SPDX-License-Identifier: MIT */
/*
 * unenforced.h - the keywords that the engine's grammar does not enforce, of an answer's JSON
 * schema and of those of strict tools. Pure.
 *
 * A grammar knows texts, not numbers or sets: it is made from one form of a schema, and other
 * keywords beside that form are left out (llama.cpp's json-schema-to-grammar).
 */
#ifndef DOZE_API_UNENFORCED_H
#define DOZE_API_UNENFORCED_H

#include <yyjson.h>

#include "base/buf.h"

/* Append the keywords, each once, with commas between; nothing if all are enforced. body: a
 * neutral one. */
void unenforced_format(yyjson_mut_val *body, struct buf *out);

#endif
