/* SPDX-License-Identifier: MIT */
/*
 * json.h - reads JSON from elsewhere, with errors for the client that sent it, and writes it.
 *
 * Readers take an object, a field's name and an output. Absent and null fields leave the output
 * untouched and succeed; a wrong type or a value out of range fails with ERR_INVALID_REQUEST,
 * the field's name in err->param and a sentence that says what was expected.
 */
#ifndef DOZE_BASE_JSON_H
#define DOZE_BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <yyjson.h>

#include "base/buf.h"
#include "base/error.h"

/* Bytes that the tree of a text may take, its copy of the text included: JSON_TREE_MIN and
 * JSON_TREE_FACTOR for each byte of the text. */
enum { JSON_TREE_MIN = 16 << 20, JSON_TREE_FACTOR = 5 };

/* Parse a whole text. Fails with line and column; nesting deeper than 128 is refused, and
 * ERR_TOO_LARGE is a tree past its maximum. An escape that is half a character is U+FFFD. The
 * caller frees with yyjson_doc_free(). */
yyjson_doc *json_parse(const char *text, size_t len, struct error *err);

/* The same, and the root must be an object. */
yyjson_doc *json_parse_object(const char *text, size_t len, struct error *err);

/* A number; 0 for -0.0, so that what is equal has equal bytes. 0 for anything else. */
double json_number(yyjson_val *val);

bool json_read_bool(yyjson_val *obj, const char *name, bool *out, struct error *err);
bool json_read_int(yyjson_val *obj, const char *name, int64_t min, int64_t max, int64_t *out,
                   struct error *err);
bool json_read_double(yyjson_val *obj, const char *name, double min, double max, double *out,
                      struct error *err);
/* Borrowed from the document. A string with an embedded NUL is refused. */
bool json_read_str(yyjson_val *obj, const char *name, const char **out, struct error *err);
/* Any array or object, borrowed. */
bool json_read_array(yyjson_val *obj, const char *name, yyjson_val **out, struct error *err);
bool json_read_object(yyjson_val *obj, const char *name, yyjson_val **out, struct error *err);

/* The text of a field; NULL if it is absent or not a string. Borrowed from the document. An
 * embedded NUL ends it. */
static inline const char *json_find_str(yyjson_val *obj, const char *name) {
    return yyjson_get_str(yyjson_obj_get(obj, name));
}

/* The same, "" instead of NULL. */
const char *json_find_text(yyjson_val *obj, const char *name);

/* "a string", "a number", ...: for error sentences. */
const char *json_type_phrase(const yyjson_val *val);

/* A new document whose root is an empty object or array. Free with yyjson_mut_doc_free(). */
yyjson_mut_doc *json_object_new(yyjson_mut_val **ret_root);
yyjson_mut_doc *json_array_new(yyjson_mut_val **ret_root);

/* Append the document as compact JSON; false if the buffer is full. Strings should be UTF-8:
 * other bytes are copied as they are. */
bool json_write(const yyjson_mut_doc *doc, struct buf *out);
/* The same, as a text of its own that the caller frees; NULL: out of memory. */
char *json_take(const yyjson_mut_doc *doc, size_t *ret_len);
bool json_write_val(const yyjson_val *val, struct buf *out);

/* Append the document and free it. A full buffer says so (buf.overflowed). */
void json_write_end(yyjson_mut_doc *doc, struct buf *out);

/* Values of a tree that was read, itself and the keys included; NULL has none. At once, however
 * many they are. */
size_t json_values(yyjson_val *val);
/* The same of a tree that was made, by a walk through it. */
size_t json_count(yyjson_mut_val *val);

/* Bytes of memory that the value takes, without what is around it. */
size_t json_cost(yyjson_mut_val *val);

/* Append text as a JSON string with its quotes. */
bool json_write_str(struct buf *out, const char *text, size_t len);

#endif
