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

#include "base/error.h"

struct translation {
    yyjson_val *in;
    yyjson_mut_doc *doc;
    yyjson_mut_val *out;
    struct error *err;
};

/* The field of `in` if it is there and not null. */
yyjson_val *translation_field(const struct translation *t, const char *name);

/* Copy a field of that type if it is there. */
bool translation_copy_bool(struct translation *t, const char *name);
bool translation_copy_str(struct translation *t, const char *name);
bool translation_copy_object(struct translation *t, const char *name);

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
