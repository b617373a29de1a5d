/* SPDX-License-Identifier: MIT */
#include "catalog/gguf_meta.h"

#include <endian.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "catalog/capabilities.h"
#include "catalog/gguf_types.h"

/* Known files have fewer than 100 keys and 20,000 tensors. */
enum { KEYS_MAX = 1 << 16, TENSORS_MAX = 1 << 18, DIMENSIONS_MAX = 4 };
enum { KEY_MAX = 128, TEXT_MAX = 1 << 20, DEFAULT_ALIGNMENT = 32 };

/* gguf.h, enum gguf_type. */
enum {
    TYPE_UINT8,
    TYPE_INT8,
    TYPE_UINT16,
    TYPE_INT16,
    TYPE_UINT32,
    TYPE_INT32,
    TYPE_FLOAT32,
    TYPE_BOOL,
    TYPE_STRING,
    TYPE_ARRAY,
    TYPE_UINT64,
    TYPE_INT64,
    TYPE_FLOAT64,
    TYPE_COUNT
};

/* Bytes of one value; 0: it has no fixed size. */
static const unsigned char widths[TYPE_COUNT] = {
    [TYPE_UINT8] = 1,  [TYPE_INT8] = 1,  [TYPE_UINT16] = 2,  [TYPE_INT16] = 2,
    [TYPE_UINT32] = 4, [TYPE_INT32] = 4, [TYPE_FLOAT32] = 4, [TYPE_BOOL] = 1,
    [TYPE_UINT64] = 8, [TYPE_INT64] = 8, [TYPE_FLOAT64] = 8,
};

struct reader {
    struct gguf_cursor cursor;
    struct gguf_meta *meta;
    const struct gguf_visitor *visitor; /* NULL: none */
    unsigned marks;                     /* infill_mark bits */
    uint64_t tokens_seen;
    uint64_t alignment;
    char key[KEY_MAX];
    uint64_t by_type[GGUF_TENSOR_TYPE_COUNT]; /* elements */
};

struct field {
    const char *key; /* the part after "<architecture>." in arch_fields */
    size_t offset;   /* in struct gguf_meta */
    size_t size;     /* of a text; 0: an int64_t */
};

#define TEXT(key, member)                                                                      \
    { key, offsetof(struct gguf_meta, member), sizeof((struct gguf_meta *)NULL)->member }
#define NUMBER(key, member)                                                                    \
    { key, offsetof(struct gguf_meta, member), 0 }

static const struct field general_fields[] = {
    TEXT("general.architecture", architecture),
    TEXT("general.name", name),
    TEXT("general.type", kind),
    TEXT("general.license", license),
    TEXT("tokenizer.ggml.model", tokenizer),
    NUMBER("general.file_type", file_type),
};

static const struct field arch_fields[] = {
    NUMBER("context_length", context_length),
    NUMBER("block_count", layers),
    NUMBER("embedding_length", embedding_length),
    NUMBER("attention.head_count", heads),
    NUMBER("attention.head_count_kv", kv_heads),
    NUMBER("attention.key_length", key_length),
    NUMBER("attention.value_length", value_length),
    NUMBER("pooling_type", pooling_type),
    NUMBER("rope.dimension_sections", position_sections),
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool damaged(struct error *err, const char *what) {
    return error_set(err, ERR_LOAD_FAILED, "The file is damaged: %s; download it again.", what);
}

static const struct field *field_find(const struct field *fields, size_t count,
                                      const char *key) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(fields[i].key, key) == 0) return &fields[i];
    }
    return NULL;
}

/* Keys of the model's shape begin with its architecture, which comes first in every file that
 * llama.cpp's converters write. If it comes later, only these facts are missed. */
static const struct field *field_of_key(const struct reader *r) {
    const struct field *field = field_find(general_fields, COUNT(general_fields), r->key);
    if (field) return field;
    size_t len = strlen(r->meta->architecture);
    if (len == 0 || strncmp(r->key, r->meta->architecture, len) != 0 || r->key[len] != '.') {
        return NULL;
    }
    return field_find(arch_fields, COUNT(arch_fields), r->key + len + 1);
}

/* An integer of any width; -1 if it is negative, above UINT32_MAX or not an integer. */
static int64_t integer_of(const unsigned char *bytes, uint32_t type) {
    uint64_t raw = 0;
    memcpy(&raw, bytes, widths[type]);
    raw = le64toh(raw);
    if (type == TYPE_FLOAT32 || type == TYPE_FLOAT64 || raw > UINT32_MAX) return -1;
    bool negative = (type == TYPE_INT8 && raw > INT8_MAX) ||
                    (type == TYPE_INT16 && raw > INT16_MAX) ||
                    (type == TYPE_INT32 && raw > INT32_MAX);
    return negative ? -1 : (int64_t)raw;
}

static void store_number(struct reader *r, const struct field *field, int64_t value) {
    if (value < 0 || field->size != 0) return;
    memcpy((char *)r->meta + field->offset, &value, sizeof value);
}

/* ---- what a visitor sees ---- */

static void visit(const struct reader *r, const struct gguf_value *value) {
    if (r->visitor && r->visitor->on_pair) r->visitor->on_pair(r->visitor->ctx, r->key, value);
}

static double real_of(const unsigned char *bytes, uint32_t type) {
    float single;
    double real;
    memcpy(&single, bytes, sizeof single);
    if (type == TYPE_FLOAT32) return (double)single;
    memcpy(&real, bytes, sizeof real);
    return real;
}

/* Two's complement of any width. */
static int64_t signed_of(const unsigned char *bytes, uint32_t type) {
    uint64_t raw = 0;
    unsigned bits = widths[type] * 8u;
    memcpy(&raw, bytes, widths[type]);
    raw = le64toh(raw);
    bool is_signed = type == TYPE_INT8 || type == TYPE_INT16 || type == TYPE_INT32;
    if (is_signed && (raw >> (bits - 1)) & 1) raw |= UINT64_MAX << bits;
    return (int64_t)raw;
}

static void visit_scalar(const struct reader *r, const unsigned char *bytes, uint32_t type) {
    struct gguf_value value = { .kind = GGUF_INTEGER };
    if (!r->visitor) return;
    if (type == TYPE_BOOL) {
        value.kind = GGUF_BOOL;
        value.integer = bytes[0] != 0;
    } else if (type == TYPE_FLOAT32 || type == TYPE_FLOAT64) {
        value.kind = GGUF_REAL;
        value.real = real_of(bytes, type);
        value.single = type == TYPE_FLOAT32;
    } else {
        value.integer = signed_of(bytes, type);
    }
    visit(r, &value);
}

/* ---- pairs ---- */

static bool read_scalar(struct reader *r, const struct field *field, uint32_t type,
                        struct error *err) {
    const unsigned char *bytes = gguf_cursor_bytes(&r->cursor, widths[type], err);
    if (!bytes) return false;
    int64_t value = integer_of(bytes, type);
    visit_scalar(r, bytes, type);
    r->marks |= infill_mark_of_key(r->key);
    if (field) store_number(r, field, value);
    if (strcmp(r->key, "general.alignment") == 0) {
        if (value <= 0 || (value & (value - 1)) != 0) {
            return damaged(err, "its alignment is not a power of two");
        }
        r->alignment = (uint64_t)value;
    }
    return true;
}

static bool is_template(const struct reader *r) {
    return strcmp(r->key, "tokenizer.chat_template") == 0;
}

/* How much of the pair's text is looked at; 0: it is skipped. */
static size_t text_room(const struct reader *r, const struct field *field) {
    if (r->visitor || is_template(r)) return TEXT_MAX;
    return field && field->size > 0 ? field->size - 1 : 0;
}

static void keep_text(struct reader *r, const struct field *field, struct buf *text) {
    struct gguf_meta *meta = r->meta;
    struct gguf_value value = { .kind = GGUF_TEXT, .text = buf_str(text), .len = text->len };
    if (is_template(r)) {
        meta->has_chat_template = true;
        meta->tool_use = meta->tool_use || template_has_tools(buf_str(text), text->len);
        meta->reasoning = template_has_reasoning(buf_str(text), text->len);
    } else if (field && field->size > 0) {
        char *to = (char *)meta + field->offset;
        memset(to, 0, field->size);
        memcpy(to, value.text, text->len < field->size ? text->len : field->size - 1);
    }
    visit(r, &value);
}

static bool read_text(struct reader *r, const struct field *field, struct error *err) {
    if (strcmp(r->key, "tokenizer.chat_template.tool_use") == 0) r->meta->tool_use = true;
    size_t room = text_room(r, field);
    if (room == 0) return gguf_cursor_skip_strings(&r->cursor, 1, NULL, NULL, err);
    struct buf text = BUF_INIT(room);
    bool ok = gguf_cursor_string(&r->cursor, &text, err);
    if (ok) keep_text(r, field, &text);
    buf_clear(&text);
    return ok;
}

/* The print: the lengths of 4,096 tokens, after the first, which are control tokens with names
 * of any kind. To read what all say would take as long as the rest of a scan; most marks are
 * told from others by their first byte. */
static void look_at_token(void *ctx, const char *text, uint64_t len) {
    enum { UNPRINTED = 5, PRINTED = 4096 };
    struct reader *r = ctx;
    struct gguf_meta *meta = r->meta;
    uint64_t number = r->tokens_seen++;
    if (len > meta->longest_token) meta->longest_token = len;
    if (text) r->marks |= infill_mark_of_token(text, (size_t)len);
    if (number >= UNPRINTED && number < PRINTED)
        meta->vocabulary_print = hash_add(meta->vocabulary_print, &(uint32_t){ (uint32_t)len },
                                          4);
}

/* Head counts may be given per layer; some layers of hybrid models have none. */
static bool read_numbers(struct reader *r, const struct field *field, uint32_t type,
                         uint64_t count, struct error *err) {
    int64_t sum = 0, largest = 0;
    for (uint64_t i = 0; i < count; i++) {
        const unsigned char *bytes = gguf_cursor_bytes(&r->cursor, widths[type], err);
        if (!bytes) return false;
        int64_t value = integer_of(bytes, type);
        if (value < 0) continue;
        sum += value;
        if (value > largest) largest = value;
    }
    bool mean = field->offset == offsetof(struct gguf_meta, kv_heads);
    if (count > 0) {
        store_number(r, field, mean ? (sum + (int64_t)count - 1) / (int64_t)count : largest);
    }
    return true;
}

static void begin_vocabulary(struct reader *r, uint64_t count) {
    r->meta->vocabulary = count;
    r->meta->vocabulary_print = HASH_BEGIN;
    r->tokens_seen = 0;
}

static bool read_array(struct reader *r, const struct field *field, struct error *err) {
    uint32_t type;
    uint64_t count;
    if (!gguf_cursor_u32(&r->cursor, &type, err) || !gguf_cursor_u64(&r->cursor, &count, err)) {
        return false;
    }
    visit(r, &(struct gguf_value){ .kind = GGUF_ARRAY });
    bool tokens = strcmp(r->key, "tokenizer.ggml.tokens") == 0;
    if (tokens) begin_vocabulary(r, count);
    if (type == TYPE_STRING)
        return gguf_cursor_skip_strings(&r->cursor, count, tokens ? look_at_token : NULL, r,
                                        err);
    if (type >= TYPE_COUNT || widths[type] == 0) {
        return damaged(err, "an array holds values of an unknown type");
    }
    if (field && field->size == 0 && count <= 4096) {
        return read_numbers(r, field, type, count, err);
    }
    return gguf_cursor_skip(&r->cursor, count, widths[type], err);
}

static bool read_key(struct reader *r, struct error *err) {
    struct buf key = BUF_INIT(sizeof r->key - 1);
    bool ok = gguf_cursor_string(&r->cursor, &key, err);
    if (ok) snprintf(r->key, sizeof r->key, "%s", buf_str(&key));
    buf_clear(&key);
    return ok;
}

static bool read_pair(struct reader *r, struct error *err) {
    uint32_t type;
    if (!read_key(r, err) || !gguf_cursor_u32(&r->cursor, &type, err)) return false;
    const struct field *field = field_of_key(r);
    if (type == TYPE_STRING) return read_text(r, field, err);
    if (type == TYPE_ARRAY) return read_array(r, field, err);
    if (type >= TYPE_COUNT) return damaged(err, "a key has a value of an unknown type");
    return read_scalar(r, field, type, err);
}

/* Its name, if somebody wants to see it. */
static bool read_tensor_name(struct reader *r, char name[KEY_MAX], struct error *err) {
    if (!r->visitor || !r->visitor->on_tensor)
        return gguf_cursor_skip_strings(&r->cursor, 1, NULL, NULL, err);
    struct buf text = BUF_INIT(KEY_MAX - 1);
    bool ok = gguf_cursor_string(&r->cursor, &text, err);
    snprintf(name, KEY_MAX, "%s", buf_str(&text));
    buf_clear(&text);
    return ok;
}

/* Elements of a tensor, from its dimensions; false if they are more than any file holds. */
static bool read_shape(struct reader *r, struct gguf_tensor *ret_tensor, uint64_t *ret_elements,
                       struct error *err) {
    uint32_t dimensions;
    if (!gguf_cursor_u32(&r->cursor, &dimensions, err)) return false;
    if (dimensions > DIMENSIONS_MAX) return damaged(err, "a tensor has too many dimensions");
    uint64_t elements = 1;
    ret_tensor->columns = ret_tensor->rows = 1;
    for (uint32_t i = 0; i < dimensions; i++) {
        uint64_t size;
        if (!gguf_cursor_u64(&r->cursor, &size, err)) return false;
        if (__builtin_mul_overflow(elements, size, &elements) || elements > INT64_MAX / 8) {
            return damaged(err, "a tensor is larger than any file");
        }
        if (i == 0) ret_tensor->columns = size;
        if (i == 1) ret_tensor->rows = size;
    }
    *ret_elements = elements;
    return true;
}

/* *ret_end: where the tensor's data ends, counted from the start of all data. */
static bool read_tensor(struct reader *r, uint64_t *ret_end, struct error *err) {
    char name[KEY_MAX] = "";
    struct gguf_tensor tensor = { .name = name };
    uint64_t elements = 0, offset = 0;
    uint32_t number;
    if (!read_tensor_name(r, name, err) || !read_shape(r, &tensor, &elements, err) ||
        !gguf_cursor_u32(&r->cursor, &number, err) ||
        !gguf_cursor_u64(&r->cursor, &offset, err)) {
        return false;
    }
    const struct gguf_tensor_type *type = gguf_tensor_type_find(number);
    if (!type) {
        return error_set(err, ERR_LOAD_FAILED,
                         "The file holds tensors of type %u, which this version does not know.",
                         number);
    }
    if (tensor.columns % type->elements != 0)
        return damaged(err, "the rows of a tensor are not whole blocks");
    if (offset % r->alignment != 0) return damaged(err, "a tensor is not aligned");
    uint64_t bytes = elements / type->elements * type->bytes;
    if (__builtin_add_overflow(offset, bytes, ret_end) || *ret_end > INT64_MAX) {
        return damaged(err, "a tensor lies beyond the end of any file");
    }
    r->by_type[number] += elements;
    r->meta->parameters += elements;
    r->meta->tensor_bytes += bytes;
    if (r->visitor && r->visitor->on_tensor) r->visitor->on_tensor(r->visitor->ctx, &tensor);
    return true;
}

static bool check_end(const struct reader *r, uint64_t data_end, struct error *err) {
    uint64_t mask = r->alignment - 1;
    uint64_t whole = ((r->cursor.pos + mask) & ~mask) + data_end;
    if (whole <= r->cursor.source->size) return true;
    return error_set(err, ERR_LOAD_FAILED,
                     "The file is cut short: it has %" PRIu64 " bytes and should have %" PRIu64
                     "; download it again.",
                     r->cursor.source->size, whole);
}

static const char *main_type(const struct reader *r) {
    uint32_t best = 0;
    for (uint32_t i = 0; i < GGUF_TENSOR_TYPE_COUNT; i++) {
        if (r->by_type[i] > r->by_type[best]) best = i;
    }
    return r->by_type[best] ? gguf_tensor_type_find(best)->name : "";
}

static bool read_tensors(struct reader *r, uint64_t count, struct error *err) {
    uint64_t data_end = 0;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t end = 0;
        if (!read_tensor(r, &end, err)) return false;
        if (end > data_end) data_end = end;
    }
    r->meta->main_type = main_type(r);
    return count == 0 || check_end(r, data_end, err);
}

static bool read_version(struct reader *r, struct error *err) {
    uint32_t magic, version;
    if (r->cursor.source->size == 0) {
        return error_set(err, ERR_LOAD_FAILED, "The file is empty; download it again.");
    }
    if (!gguf_cursor_u32(&r->cursor, &magic, err)) return false;
    if (magic != 0x46554747) { /* "GGUF" */
        return error_set(err, ERR_LOAD_FAILED, "The file is not a GGUF file.");
    }
    if (!gguf_cursor_u32(&r->cursor, &version, err)) return false;
    if (version == 2 || version == 3) return true;
    if (version != 0 && (version & 0xffff) == 0) {
        return error_set(err, ERR_LOAD_FAILED,
                         "The file is for big-endian machines; download a little-endian one.");
    }
    return error_set(err, ERR_LOAD_FAILED,
                     "The file has GGUF version %u; versions 2 and 3 can be read.", version);
}

static bool read_header(struct reader *r, struct error *err) {
    uint64_t tensors, pairs;
    if (!read_version(r, err) || !gguf_cursor_u64(&r->cursor, &tensors, err) ||
        !gguf_cursor_u64(&r->cursor, &pairs, err)) {
        return false;
    }
    if (tensors > TENSORS_MAX) return damaged(err, "it counts more tensors than any model has");
    if (pairs > KEYS_MAX) return damaged(err, "it counts more keys than any model has");
    for (uint64_t i = 0; i < pairs; i++) {
        if (!read_pair(r, err)) return false;
    }
    return read_tensors(r, tensors, err);
}

bool gguf_meta_visit(const struct gguf_source *source, const struct gguf_visitor *visitor,
                     struct gguf_meta *ret_meta, struct error *err) {
    *ret_meta = (struct gguf_meta){ .file_type = -1, .pooling_type = -1, .main_type = "" };
    struct reader r = { .meta = ret_meta, .visitor = visitor, .alignment = DEFAULT_ALIGNMENT };
    gguf_cursor_init(&r.cursor, source);
    bool ok = read_header(&r, err);
    ret_meta->infill = r.marks == INFILL_MARKS;
    return ok;
}
