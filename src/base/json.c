/* SPDX-License-Identifier: MIT */
#include "base/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

enum { MAX_DEPTH = 128, LONG_TEXT = 1 << 18 };

/* yyjson does not limit nesting when reading (it does not recurse); what walks the tree later
 * does. One pass over the bytes is enough: strings are skipped, brackets counted. */
static bool depth_ok(const char *text, size_t len) {
    int depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (in_string) {
            if (c == '\\') i++;
            if (c == '"') in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            if (++depth > MAX_DEPTH) return false;
        } else if (c == ']' || c == '}') {
            depth--;
        }
    }
    return true;
}

/* ---- the memory of a tree ---- */

/* A value takes 16 bytes, and may be two bytes of text. */
struct quota {
    size_t left; /* bytes */
};

static void *quota_malloc(void *ctx, size_t size) {
    struct quota *q = ctx;
    if (size > q->left) return NULL;
    q->left -= size;
    return malloc(size);
}

/* Growth only: yyjson shrinks a tree once, at its end. */
static void *quota_realloc(void *ctx, void *ptr, size_t old_size, size_t size) {
    struct quota *q = ctx;
    size_t more = size > old_size ? size - old_size : 0;
    if (more > q->left) return NULL;
    q->left -= more;
    return realloc(ptr, size);
}

static void quota_free(void *ctx, void *ptr) {
    (void)ctx;
    free(ptr);
}

static yyjson_doc *read_tree(const char *text, size_t len, yyjson_read_err *problem) {
    struct quota quota = { .left = JSON_TREE_MIN + JSON_TREE_FACTOR * len };
    yyjson_alc alc = { quota_malloc, quota_realloc, quota_free, &quota };
    yyjson_doc *doc = yyjson_read_opts((char *)(uintptr_t)text, len, 0, &alc, problem);
    if (doc) doc->alc.ctx = NULL; /* only to free, which needs none */
    return doc;
}

/* ---- halves of characters ---- */

/* The number of an escape "\\uXXXX" that the text begins with; -1: it begins with none. */
static int escaped_unit(const char *text, size_t len) {
    char digits[5] = "", *end;
    if (len < 6 || text[0] != '\\' || text[1] != 'u') return -1;
    memcpy(digits, text + 2, 4);
    if (strspn(digits, "0123456789abcdefABCDEF") != 4) return -1;
    return (int)strtoul(digits, &end, 16);
}

/* Clients cut texts between the two halves of a character, which stand in JSON as two escapes.
 * U+FFFD takes the place of one that is left alone. */
static bool mend_surrogates(char *text, size_t len) {
    static const char stand_in[] = { 'f', 'f', 'f', 'd' };
    bool mended = false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] != '\\') continue;
        int half = escaped_unit(text + i, len - i) >> 10;
        if (half == 0xd800 >> 10 &&
            escaped_unit(text + i + 6, len - i - 6) >> 10 == 0xdc00 >> 10) {
            i += 11;
        } else if (half == 0xd800 >> 10 || half == 0xdc00 >> 10) {
            memcpy(text + i + 2, stand_in, sizeof stand_in);
            mended = true;
        } else {
            i++; /* what it escapes may be another */
        }
    }
    return mended;
}

static yyjson_doc *read_mended(const char *text, size_t len, yyjson_read_err *problem) {
    yyjson_doc *doc = read_tree(text, len, problem);
    if (doc || problem->code != YYJSON_READ_ERROR_INVALID_STRING) return doc;
    char *copy = xstrndup(text, len);
    if (strlen(copy) == len && mend_surrogates(copy, len)) doc = read_tree(copy, len, problem);
    free(copy);
    return doc;
}

yyjson_doc *json_parse(const char *text, size_t len, struct error *err) {
    if (!depth_ok(text, len)) {
        error_set(err, ERR_INVALID_REQUEST, "The JSON is nested deeper than %d levels.",
                  MAX_DEPTH);
        return NULL;
    }
    yyjson_read_err problem;
    yyjson_doc *doc = read_mended(text, len, &problem);
    if (doc) return doc;
    if (problem.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION) {
        error_set(err, ERR_TOO_LARGE,
                  "The JSON has too many values for its length; send a smaller request.");
        return NULL;
    }
    size_t line = 1, column = 1, chars = 0;
    if (len == 0 || !yyjson_locate_pos(text, len, problem.pos, &line, &column, &chars)) {
        error_set(err, ERR_INVALID_REQUEST, "The body is empty; send a JSON object.");
    } else {
        error_set(err, ERR_INVALID_REQUEST,
                  "The body is not valid JSON: %s at line %zu, column %zu.", problem.msg, line,
                  column);
    }
    return NULL;
}

yyjson_doc *json_parse_object(const char *text, size_t len, struct error *err) {
    yyjson_doc *doc = json_parse(text, len, err);
    if (!doc || yyjson_is_obj(yyjson_doc_get_root(doc))) return doc;
    error_set(err, ERR_INVALID_REQUEST, "The body must be a JSON object, not %s.",
              json_type_phrase(yyjson_doc_get_root(doc)));
    yyjson_doc_free(doc);
    return NULL;
}

const char *json_find_text(yyjson_val *obj, const char *name) {
    const char *text = json_find_str(obj, name);
    return text ? text : "";
}

const char *json_type_phrase(const yyjson_val *val) {
    yyjson_val *v = (yyjson_val *)(uintptr_t)val;
    if (yyjson_is_str(v)) return "a string";
    if (yyjson_is_int(v)) return "an integer";
    if (yyjson_is_num(v)) return "a number";
    if (yyjson_is_bool(v)) return "a boolean";
    if (yyjson_is_arr(v)) return "an array";
    if (yyjson_is_obj(v)) return "an object";
    return "null";
}

/* The field if present and not null. */
static yyjson_val *present(yyjson_val *obj, const char *name) {
    yyjson_val *val = yyjson_obj_get(obj, name);
    return yyjson_is_null(val) ? NULL : val;
}

static bool wrong_type(yyjson_val *val, const char *name, const char *want, struct error *err) {
    return error_set_param(err, ERR_INVALID_REQUEST, name, "'%s' must be %s, not %s.", name,
                           want, json_type_phrase(val));
}

bool json_read_bool(yyjson_val *obj, const char *name, bool *out, struct error *err) {
    yyjson_val *val = present(obj, name);
    if (!val) return true;
    if (!yyjson_is_bool(val)) return wrong_type(val, name, "a boolean", err);
    *out = yyjson_get_bool(val);
    return true;
}

/* Many clients send integers as 3.0. */
static bool integral(yyjson_val *val, int64_t *ret) {
    if (yyjson_is_sint(val)) {
        *ret = yyjson_get_sint(val);
        return true;
    }
    if (yyjson_is_uint(val)) {
        uint64_t u = yyjson_get_uint(val);
        *ret = u > INT64_MAX ? INT64_MAX : (int64_t)u;
        return true;
    }
    double d = yyjson_get_real(val);
    if (!yyjson_is_real(val) || d != trunc(d) || fabs(d) > 9e15) return false;
    *ret = (int64_t)d;
    return true;
}

bool json_read_int(yyjson_val *obj, const char *name, int64_t min, int64_t max, int64_t *out,
                   struct error *err) {
    yyjson_val *val = present(obj, name);
    if (!val) return true;
    int64_t n = 0;
    if (!integral(val, &n)) return wrong_type(val, name, "an integer", err);
    if (n < min || n > max) {
        return error_set_param(err, ERR_INVALID_REQUEST, name,
                               "'%s' must be between %lld and %lld, not %lld.", name,
                               (long long)min, (long long)max, (long long)n);
    }
    *out = n;
    return true;
}

double json_number(yyjson_val *val) {
    return yyjson_get_num(val) + 0.0;
}

bool json_read_double(yyjson_val *obj, const char *name, double min, double max, double *out,
                      struct error *err) {
    yyjson_val *val = present(obj, name);
    if (!val) return true;
    if (!yyjson_is_num(val)) return wrong_type(val, name, "a number", err);
    double d = json_number(val);
    if (!(d >= min && d <= max)) {
        return error_set_param(err, ERR_INVALID_REQUEST, name,
                               "'%s' must be between %g and %g, not %g.", name, min, max, d);
    }
    *out = d;
    return true;
}

bool json_read_str(yyjson_val *obj, const char *name, const char **out, struct error *err) {
    yyjson_val *val = present(obj, name);
    if (!val) return true;
    if (!yyjson_is_str(val)) return wrong_type(val, name, "a string", err);
    if (strlen(yyjson_get_str(val)) != yyjson_get_len(val)) {
        return error_set_param(err, ERR_INVALID_REQUEST, name,
                               "'%s' must not contain the character U+0000.", name);
    }
    *out = yyjson_get_str(val);
    return true;
}

bool json_read_array(yyjson_val *obj, const char *name, yyjson_val **out, struct error *err) {
    yyjson_val *val = present(obj, name);
    if (!val) return true;
    if (!yyjson_is_arr(val)) return wrong_type(val, name, "an array", err);
    *out = val;
    return true;
}

bool json_read_object(yyjson_val *obj, const char *name, yyjson_val **out, struct error *err) {
    yyjson_val *val = present(obj, name);
    if (!val) return true;
    if (!yyjson_is_obj(val)) return wrong_type(val, name, "an object", err);
    *out = val;
    return true;
}

yyjson_mut_doc *json_object_new(yyjson_mut_val **ret_root) {
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    *ret_root = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, *ret_root);
    return doc;
}

yyjson_mut_doc *json_array_new(yyjson_mut_val **ret_root) {
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    *ret_root = yyjson_mut_arr(doc);
    yyjson_mut_doc_set_root(doc, *ret_root);
    return doc;
}

static const yyjson_write_flag write_flags = YYJSON_WRITE_ALLOW_INVALID_UNICODE;

/* A long text is not copied if the buffer is empty; it may have taken half as much again. */
static bool add_owned(struct buf *out, char *text, size_t len) {
    if (text && len >= LONG_TEXT) return buf_add_taking(out, text, len);
    bool ok = text && buf_add(out, text, len);
    free(text);
    return ok;
}

char *json_take(const yyjson_mut_doc *doc, size_t *ret_len) {
    return yyjson_mut_write(doc, write_flags, ret_len);
}

bool json_write(const yyjson_mut_doc *doc, struct buf *out) {
    size_t len = 0;
    char *text = json_take(doc, &len);
    return add_owned(out, text, len);
}

void json_write_end(yyjson_mut_doc *doc, struct buf *out) {
    (void)json_write(doc, out);
    yyjson_mut_doc_free(doc);
}

bool json_write_val(const yyjson_val *val, struct buf *out) {
    size_t len = 0;
    char *text = yyjson_val_write(val, write_flags, &len);
    return add_owned(out, text, len);
}

size_t json_values(yyjson_val *val) {
    return val ? (size_t)(unsafe_yyjson_get_next(val) - val) : 0;
}

size_t json_count(yyjson_mut_val *val) {
    size_t values = 1, index, max;
    yyjson_mut_val *key, *each;
    if (yyjson_mut_is_arr(val)) {
        yyjson_mut_arr_foreach(val, index, max, each) values += json_count(each);
    } else if (yyjson_mut_is_obj(val)) {
        yyjson_mut_obj_foreach(val, index, max, key, each) values += 1 + json_count(each);
    }
    return values;
}

size_t json_cost(yyjson_mut_val *val) {
    size_t bytes = sizeof *val, index, max;
    yyjson_mut_val *key, *each;
    if (yyjson_mut_is_str(val) || yyjson_mut_is_raw(val)) {
        bytes += yyjson_mut_get_len(val);
    } else if (yyjson_mut_is_arr(val)) {
        yyjson_mut_arr_foreach(val, index, max, each) bytes += json_cost(each);
    } else if (yyjson_mut_is_obj(val)) {
        yyjson_mut_obj_foreach(val, index, max, key, each) {
            bytes += json_cost(key) + json_cost(each);
        }
    }
    return bytes;
}

bool json_write_str(struct buf *out, const char *text, size_t len) {
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_doc_set_root(doc, yyjson_mut_strn(doc, text, len));
    bool ok = json_write(doc, out);
    yyjson_mut_doc_free(doc);
    return ok;
}
