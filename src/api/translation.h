/* SPDX-License-Identifier: MIT */
/*
 * translation.h - what the readers of bodies share: a translation from a foreign object `in` to
 * a neutral one `out` (service.h) that grows inside `doc`.
 *
 * Pure. Readers return false and fill *err at the first field that cannot be taken; what they
 * have written to `out` by then is thrown away with the document.
 */
#ifndef DOZE_API_TRANSLATION_H
#define DOZE_API_TRANSLATION_H

#include <stdbool.h>
#include <stddef.h>
#include <yyjson.h>

#include "api/name_set.h"
#include "base/buf.h"
#include "base/error.h"

/* Bytes; no text is longer than the body it is from. */
enum { TRANSLATION_TEXT_MAX = 256 << 20 };

struct translation {
    yyjson_val *in;
    yyjson_mut_doc *doc;
    yyjson_mut_val *out;
    struct error *err;
    struct buf *skipped_tools; /* their kinds, with commas between; NULL: nobody asks */
};

/* The field of `in` if it is there and not null. */
yyjson_val *translation_field(const struct translation *t, const char *name);

/* Copy a field of that type if it is there. */
bool translation_copy_bool(struct translation *t, const char *name);
bool translation_copy_str(struct translation *t, const char *name);
bool translation_copy_object(struct translation *t, const char *name);

/* Copy a number from 0 to max if it is there, as a real number. */
bool translation_copy_number(struct translation *t, const char *name, double max);

/* The neutral response_format for a JSON schema. */
void translation_add_schema(struct translation *t, yyjson_val *schema);

/* Append a function to `tools`, a neutral array. Without a schema it gets that of an empty
 * object, which templates expect. description may be NULL. Returns the new function. */
yyjson_mut_val *translation_add_function(struct translation *t, yyjson_mut_val *tools,
                                         const char *name, const char *description,
                                         yyjson_val *schema);
/* The same for a tool with name, description, strict and a schema in the field `schema`. NULL
 * if the name is missing or a field has a wrong type. */
yyjson_mut_val *translation_copy_tool(struct translation *t, yyjson_mut_val *tools,
                                      yyjson_val *tool, const char *schema);
/* The tool that has the function; NULL: none, or no name. */
yyjson_mut_val *translation_find_function(yyjson_mut_val *tools, const char *name);
/* Add the names of the functions of `tools`, which stay its. */
void translation_collect_functions(yyjson_mut_val *tools, struct name_set *ret_names);
/* Remove the tools whose functions have other names. */
void translation_keep_functions(yyjson_mut_val *tools, struct name_set *names);
/* The neutral tool_choice that names a function. */
void translation_choose_function(struct translation *t, const char *name);

/* Note a tool that this server does not run, by its kind: each kind once, as many as there is
 * room for. */
void translation_skip_tool(struct translation *t, yyjson_val *tool);

/* The same for an object nested in `in` and one nested in `out`. */
struct translation translation_into(const struct translation *t, yyjson_val *in,
                                    yyjson_mut_val *out);

/* "'name' must be want, not a string." Always false. */
bool translation_wrong_type(struct translation *t, const char *name, const char *want);
bool translation_missing(struct translation *t, const char *name, const char *want);

/* Put the place in front of an error about something inside it: param "tools[2].type". Always
 * false. */
bool translation_error_inside_item(struct error *err, const char *place, size_t index);
bool translation_error_inside(struct error *err, const char *place);

#endif
