/* SPDX-License-Identifier: MIT */
#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "catalog/gguf_meta.h"
#include "catalog/gguf_types.h"
#include "gguf_writer.h"

enum { TYPE_Q4_0 = 2 };

static bool read_memory(void *ctx, uint64_t offset, void *bytes, size_t len) {
    const struct buf *all = ctx;
    if (offset > all->len || len > all->len - offset) return false;
    memcpy(bytes, all->data + offset, len);
    return true;
}

static bool read_meta(struct buf *bytes, struct gguf_meta *meta, struct error *err) {
    struct gguf_source source = { read_memory, bytes, bytes->len };
    *err = (struct error){ 0 };
    return gguf_meta_visit(&source, NULL, meta, err);
}

/* The bytes are refused with a sentence that holds `part`. Clears them. */
static void assert_refused(struct buf *bytes, const char *part) {
    struct gguf_meta meta;
    struct error err;
    assert_false(read_meta(bytes, &meta, &err));
    if (!strstr(err.text, part)) fail_msg("\"%s\" does not say \"%s\"", err.text, part);
    buf_clear(bytes);
}

static void test_facts_of_a_model(void **state) {
    (void)state;
    struct buf bytes = BUF_INIT(1 << 20);
    struct small_model model = { .architecture = "qwen2",
                                 .name = "A Small Model",
                                 .license = "apache-2.0",
                                 .chat_template = "{% if tools %}x{% endif %}<think>",
                                 .file_type = 1 + 15,
                                 .vocabulary = 5000 };
    put_small_model(&bytes, &model);
    struct gguf_meta meta;
    struct error err;
    assert_true(read_meta(&bytes, &meta, &err));
    assert_string_equal(meta.architecture, "qwen2");
    assert_string_equal(meta.name, "A Small Model");
    assert_string_equal(meta.license, "apache-2.0");
    assert_string_equal(gguf_file_type_name(meta.file_type), "Q4_K_M");
    assert_string_equal(meta.main_type, "F16");
    assert_int_equal(meta.context_length, 2048);
    assert_int_equal(meta.layers, 2);
    assert_int_equal(meta.embedding_length, 64);
    assert_int_equal(meta.heads, 4);
    assert_int_equal(meta.kv_heads, 2);
    assert_int_equal(meta.pooling_type, -1);
    assert_int_equal(meta.longest_token, strlen("token"));
    assert_int_equal(meta.vocabulary, 5000);
    assert_true(meta.vocabulary_print != 0);
    assert_int_equal(meta.parameters, 6400);
    assert_int_equal(meta.tensor_bytes, 12800);
    assert_true(meta.has_chat_template && meta.tool_use && meta.reasoning);
    buf_clear(&bytes);
}

static void test_version_2_is_read_and_others_are_refused(void **state) {
    (void)state;
    struct gguf_meta meta;
    struct error err;
    static const struct {
        uint32_t version;
        const char *part; /* NULL: it is read */
    } cases[] = { { 2, NULL },
                  { 1, "version 1" },
                  { 4, "version 4" },
                  { 0, "version 0" },
                  { 0x03000000, "big-endian" } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf bytes = BUF_INIT(1 << 20);
        put_small_model(&bytes, &(struct small_model){ 0 });
        memcpy(bytes.data + 4, &cases[i].version, 4);
        if (cases[i].part) {
            assert_refused(&bytes, cases[i].part);
        } else {
            assert_true(read_meta(&bytes, &meta, &err));
            buf_clear(&bytes);
        }
    }
}

static void test_other_files_are_refused(void **state) {
    (void)state;
    struct buf empty = BUF_INIT(64), text = BUF_INIT(64), tiny = BUF_INIT(64);
    (void)buf_add(&text, "<!DOCTYPE html><html>404", 24);
    (void)buf_add(&tiny, "GG", 2);
    assert_refused(&empty, "empty");
    assert_refused(&text, "not a GGUF");
    assert_refused(&tiny, "ends within its header");
}

/* Cut anywhere, the file is refused and never read past its end. */
static void test_every_cut_is_found(void **state) {
    (void)state;
    struct buf whole = BUF_INIT(1 << 20);
    put_small_model(&whole, &(struct small_model){ .name = "n", .vocabulary = 20 });
    struct gguf_meta meta;
    struct error err;
    for (size_t len = 0; len < whole.len; len++) {
        char *copy = malloc(len ? len : 1); /* exact, so that ASan sees one byte too many */
        memcpy(copy, whole.data, len);
        struct buf cut = { .data = copy, .len = len, .cap = len, .max = len };
        assert_false(read_meta(&cut, &meta, &err));
        assert_true(err.code == ERR_LOAD_FAILED && err.text[0]);
        free(copy);
    }
    assert_true(read_meta(&whole, &meta, &err));
    whole.len--;
    assert_refused(&whole, "cut short");
}

static void test_huge_counts_are_refused(void **state) {
    (void)state;
    struct buf tensors = BUF_INIT(1 << 16), pairs = BUF_INIT(1 << 16);
    put_header(&tensors, UINT64_MAX, 0);
    assert_refused(&tensors, "more tensors");
    put_header(&pairs, 0, UINT64_MAX);
    assert_refused(&pairs, "more keys");
}

static void test_huge_lengths_are_refused(void **state) {
    (void)state;
    struct buf key = BUF_INIT(1 << 16), text = BUF_INIT(1 << 16);
    put_header(&key, 0, 1);
    put_u64(&key, UINT64_MAX - 3);
    assert_refused(&key, "ends within its header");
    put_header(&text, 0, 1);
    put_string(&text, "general.name");
    put_u32(&text, W_STRING);
    put_u64(&text, (uint64_t)1 << 62);
    assert_refused(&text, "ends within its header");
}

static void test_huge_arrays_are_refused(void **state) {
    (void)state;
    static const uint32_t types[] = { W_UINT8, W_STRING, W_UINT64 };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        struct buf bytes = BUF_INIT(1 << 16);
        put_header(&bytes, 0, 1);
        put_string(&bytes, "llama.attention.head_count");
        put_u32(&bytes, W_ARRAY);
        put_u32(&bytes, types[i]);
        put_u64(&bytes, UINT64_MAX / 2 + 1); /* times 8 it would be 0 */
        assert_refused(&bytes, "ends within its header");
    }
}

static void test_unknown_types_are_refused(void **state) {
    (void)state;
    struct buf value = BUF_INIT(1 << 16), array = BUF_INIT(1 << 16), tensor = BUF_INIT(1 << 16);
    put_header(&value, 0, 1);
    put_string(&value, "some.key");
    put_u32(&value, 99);
    assert_refused(&value, "unknown type");
    put_header(&array, 0, 1);
    put_string(&array, "some.key");
    put_u32(&array, W_ARRAY);
    put_u32(&array, W_ARRAY);
    put_u64(&array, 1);
    assert_refused(&array, "unknown type");
    put_header(&tensor, 1, 0);
    put_tensor(&tensor, "t", 32, 1, 4711, 0);
    assert_refused(&tensor, "type 4711");
}

static void test_impossible_tensors_are_refused(void **state) {
    (void)state;
    static const struct {
        uint64_t columns, rows, offset;
        const char *part;
    } cases[] = {
        { UINT64_MAX, 2, 0, "larger than any file" },
        { (uint64_t)1 << 40, (uint64_t)1 << 40, 0, "larger than any file" },
        { 33, 1, 0, "not whole blocks" },
        { 32, 1, 7, "not aligned" },
        { 32, 1, UINT64_MAX - 31, "beyond the end" },
        { 32, 1, (uint64_t)1 << 40, "cut short" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf bytes = BUF_INIT(1 << 16);
        put_header(&bytes, 1, 0);
        put_tensor(&bytes, "t", cases[i].columns, cases[i].rows, TYPE_Q4_0, cases[i].offset);
        put_data(&bytes, 18);
        assert_refused(&bytes, cases[i].part);
    }
    struct buf bytes = BUF_INIT(1 << 16);
    put_header(&bytes, 1, 0);
    put_string(&bytes, "t");
    put_u32(&bytes, 5);
    assert_refused(&bytes, "too many dimensions");
}

static void test_alignment_is_a_power_of_two(void **state) {
    (void)state;
    static const uint32_t bad[] = { 0, 24, 0x80000001 };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct buf bytes = BUF_INIT(1 << 16);
        put_header(&bytes, 0, 1);
        put_u32_pair(&bytes, "general.alignment", bad[i]);
        assert_refused(&bytes, "alignment");
    }
}

/* The tensors begin at the next multiple of the file's own alignment. */
static void test_alignment_counts_for_the_end(void **state) {
    (void)state;
    struct buf bytes = BUF_INIT(1 << 16);
    put_header(&bytes, 1, 1);
    put_u32_pair(&bytes, "general.alignment", 1024);
    put_tensor(&bytes, "t", 32, 1, TYPE_Q4_0, 0);
    size_t header = bytes.len;
    assert_true(header < 1024);
    char *room = buf_reserve(&bytes, 1024 + 18 - header);
    memset(room, 0, 1024 + 18 - header);
    bytes.len = 1024 + 18;
    struct gguf_meta meta;
    struct error err;
    assert_true(read_meta(&bytes, &meta, &err));
    bytes.len--;
    assert_refused(&bytes, "1041 bytes and should have 1042");
}

/* Hybrid models give their heads layer by layer, none for some. */
static void test_heads_by_layer(void **state) {
    (void)state;
    static const uint32_t heads[] = { 0, 8, 8, 8 };
    struct buf bytes = BUF_INIT(1 << 16);
    put_header(&bytes, 0, 3);
    put_text_pair(&bytes, "general.architecture", "jamba");
    put_string(&bytes, "jamba.attention.head_count");
    put_u32(&bytes, W_ARRAY);
    put_u32(&bytes, W_INT32);
    put_u64(&bytes, 4);
    for (int i = 0; i < 4; i++) put_u32(&bytes, heads[i] * 4);
    put_string(&bytes, "jamba.attention.head_count_kv");
    put_u32(&bytes, W_ARRAY);
    put_u32(&bytes, W_UINT32);
    put_u64(&bytes, 4);
    for (int i = 0; i < 4; i++) put_u32(&bytes, heads[i]);
    struct gguf_meta meta;
    struct error err;
    assert_true(read_meta(&bytes, &meta, &err));
    assert_int_equal(meta.heads, 32);
    assert_int_equal(meta.kv_heads, 6);
    buf_clear(&bytes);
}

/* What is not wanted is passed over, whatever its size, and what follows it is read. */
static void test_unknown_values_are_passed_over(void **state) {
    (void)state;
    static const uint32_t types[] = { W_UINT8, W_INT32, W_FLOAT32, W_UINT64 };
    static const size_t widths[] = { 1, 4, 4, 8 };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        struct buf bytes = BUF_INIT(1 << 22);
        put_header(&bytes, 0, 3);
        put_string(&bytes, "tokenizer.ggml.scores");
        put_u32(&bytes, W_ARRAY);
        put_u32(&bytes, types[i]);
        put_u64(&bytes, 100000);
        for (size_t k = 0; k < 100000 * widths[i]; k++) (void)buf_add(&bytes, "\xff", 1);
        put_vocabulary(&bytes, 50000);
        put_text_pair(&bytes, "general.name", "after");
        struct gguf_meta meta;
        struct error err;
        assert_true(read_meta(&bytes, &meta, &err));
        assert_string_equal(meta.name, "after");
        buf_clear(&bytes);
    }
}

/* Wrong types where a number or a text is expected change nothing and break nothing. */
static void test_odd_types_of_known_keys(void **state) {
    (void)state;
    struct buf bytes = BUF_INIT(1 << 16);
    put_header(&bytes, 0, 5);
    put_text_pair(&bytes, "general.architecture", "llama");
    put_text_pair(&bytes, "llama.context_length", "many");
    put_u32_pair(&bytes, "general.name", 7);
    put_string(&bytes, "llama.block_count");
    put_u32(&bytes, W_INT32);
    put_u32(&bytes, (uint32_t)-5);
    put_string(&bytes, "llama.embedding_length");
    put_u32(&bytes, W_FLOAT32);
    put_u32(&bytes, 0x7fc00000); /* NaN */
    struct gguf_meta meta;
    struct error err;
    assert_true(read_meta(&bytes, &meta, &err));
    assert_string_equal(meta.name, "");
    assert_int_equal(meta.context_length, 0);
    assert_int_equal(meta.layers, 0);
    assert_int_equal(meta.embedding_length, 0);
    buf_clear(&bytes);
}

static void test_long_texts_are_cut(void **state) {
    (void)state;
    char *name = malloc(100001);
    memset(name, 'x', 100000);
    name[100000] = '\0';
    struct buf bytes = BUF_INIT(1 << 20);
    put_small_model(&bytes, &(struct small_model){ .architecture = "llama", .name = name });
    struct gguf_meta meta;
    struct error err;
    assert_true(read_meta(&bytes, &meta, &err));
    assert_int_equal(strlen(meta.name), sizeof meta.name - 1);
    assert_int_equal(meta.parameters, 6400);
    buf_clear(&bytes);
    free(name);
}

/* A source that fails is an I/O error, not a damaged file. */
static bool read_nothing(void *ctx, uint64_t offset, void *bytes, size_t len) {
    (void)ctx;
    (void)offset;
    (void)bytes;
    (void)len;
    return false;
}

static void test_a_source_that_fails(void **state) {
    (void)state;
    struct gguf_source source = { read_nothing, NULL, 1000 };
    struct gguf_meta meta;
    struct error err;
    assert_false(gguf_meta_visit(&source, NULL, &meta, &err));
    assert_int_equal(err.code, ERR_IO);
}

/* A sparse file of a terabyte must not keep the reader busy with a billion empty strings. */
static bool read_zeros(void *ctx, uint64_t offset, void *bytes, size_t len) {
    const struct buf *front = ctx;
    memset(bytes, 0, len);
    if (offset < front->len) {
        size_t part = front->len - (size_t)offset;
        memcpy(bytes, front->data + offset, part < len ? part : len);
    }
    return true;
}

/* What a visitor has seen, a line for each pair. */
static void note_pair(void *ctx, const char *key, const struct gguf_value *value) {
    struct buf *out = ctx;
    switch (value->kind) {
    case GGUF_INTEGER:
        (void)buf_addf(out, "%s %lld\n", key, (long long)value->integer);
        return;
    case GGUF_REAL:
        (void)buf_addf(out, "%s %g\n", key, value->real);
        return;
    case GGUF_BOOL:
        (void)buf_addf(out, "%s %s\n", key, value->integer ? "true" : "false");
        return;
    case GGUF_TEXT:
        (void)buf_addf(out, "%s '%s' %zu\n", key, value->text, value->len);
        return;
    case GGUF_ARRAY:
        (void)buf_addf(out, "%s [...]\n", key);
        return;
    }
}

static struct gguf_meta visit_meta(struct buf *bytes, struct buf *seen) {
    struct gguf_source source = { read_memory, bytes, bytes->len };
    struct gguf_visitor visitor = { .on_pair = note_pair, .ctx = seen };
    struct gguf_meta meta;
    struct error err;
    assert_true(gguf_meta_visit(&source, &visitor, &meta, &err));
    return meta;
}

static void put_scalar(struct buf *out, const char *key, uint32_t type, uint64_t bits,
                       size_t width) {
    put_string(out, key);
    put_u32(out, type);
    bits = htole64(bits);
    (void)buf_add(out, &bits, width);
}

static void test_a_visitor_sees_every_pair(void **state) {
    (void)state;
    struct buf bytes = BUF_INIT(1 << 16), seen = BUF_INIT(1 << 12);
    put_header(&bytes, 0, 9);
    put_text_pair(&bytes, "general.architecture", "llama");
    put_text_pair(&bytes, "tokenizer.chat_template", "{{ tools }}");
    put_text_pair(&bytes, "general.url", "");
    put_scalar(&bytes, "a.byte", 1 /* int8 */, 0xfe, 1);
    put_scalar(&bytes, "a.long", 11 /* int64 */, UINT64_MAX, 8);
    put_scalar(&bytes, "a.float", W_FLOAT32, 0x3fc00000, 4);
    put_scalar(&bytes, "a.double", 12 /* float64 */, 0xc004000000000000, 8);
    put_scalar(&bytes, "a.bool", 7, 1, 1);
    put_vocabulary(&bytes, 3);
    struct gguf_meta meta = visit_meta(&bytes, &seen);
    assert_string_equal(buf_str(&seen), "general.architecture 'llama' 5\n"
                                        "tokenizer.chat_template '{{ tools }}' 11\n"
                                        "general.url '' 0\n"
                                        "a.byte -2\n"
                                        "a.long -1\n"
                                        "a.float 1.5\n"
                                        "a.double -2.5\n"
                                        "a.bool true\n"
                                        "tokenizer.ggml.tokens [...]\n");
    assert_true(meta.tool_use && !meta.infill);
    assert_string_equal(meta.architecture, "llama");
    buf_clear(&seen);
    buf_clear(&bytes);
}

static bool infill_of(const char *const words[3], const char *key) {
    struct buf bytes = BUF_INIT(1 << 16), seen = BUF_INIT(1 << 12);
    put_header(&bytes, 0, 2);
    put_string(&bytes, "tokenizer.ggml.tokens");
    put_u32(&bytes, W_ARRAY);
    put_u32(&bytes, W_STRING);
    put_u64(&bytes, 3);
    for (int i = 0; i < 3; i++) put_string(&bytes, words[i]);
    put_u32_pair(&bytes, key, 2);
    struct gguf_meta meta;
    struct error err;
    assert_true(read_meta(&bytes, &meta, &err));
    bool infill = visit_meta(&bytes, &seen).infill;
    assert_int_equal(meta.infill, infill); /* a scan knows it, too */
    buf_clear(&seen);
    buf_clear(&bytes);
    return infill;
}

/* All three marks, each by a key or by its text. */
static void test_a_model_with_marks_for_a_gap_fills_in(void **state) {
    (void)state;
    static const char *const all[] = { "<|fim_suffix|>", "<PRE>", "<fim-middle>" };
    static const char *const short_ones[] = { "<|prefix|>", "<|middle|>", "<|suffix|>" };
    static const char *const two[] = { "<|fim_suffix|>", "<PRE>",
                                       "<fim-middle> or so, not it" };
    assert_true(infill_of(all, "general.file_type"));
    assert_true(infill_of(short_ones, "general.file_type"));
    assert_false(infill_of(two, "general.file_type"));
    assert_true(infill_of(two, "tokenizer.ggml.fim_mid_token_id"));
}

/* Wherever the file's parts that are read at once end; and a NUL ends no text. */
static void test_marks_are_found_anywhere_in_a_vocabulary(void **state) {
    (void)state;
    for (size_t pad = 0; pad < 24; pad++) {
        struct buf bytes = BUF_INIT(1 << 17);
        struct gguf_meta meta;
        struct error err;
        put_header(&bytes, 0, 1);
        put_string(&bytes, "tokenizer.ggml.tokens");
        put_u32(&bytes, W_ARRAY);
        put_u32(&bytes, W_STRING);
        put_u64(&bytes, 5);
        put_u64(&bytes, (64 << 10) - 48 - bytes.len + pad);
        while (bytes.len < (64 << 10) - 40 + pad) (void)buf_add(&bytes, "x", 1);
        put_u64(&bytes, 24);
        (void)buf_add(&bytes, "<PRE>\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24);
        for (int i = 0; i < 3; i++)
            put_string(&bytes, (const char *const[]){ "<SUF>", "<MID>", "<PRE>" }[i]);
        assert_true(read_meta(&bytes, &meta, &err));
        assert_true(meta.infill);
        memcpy(bytes.data + bytes.len - 5, "<PRX>", 5);
        assert_true(read_meta(&bytes, &meta, &err));
        assert_false(meta.infill);
        buf_clear(&bytes);
    }
}

static void test_endless_headers_are_refused(void **state) {
    (void)state;
    struct buf front = BUF_INIT(1 << 10);
    put_header(&front, 0, 1);
    put_string(&front, "tokenizer.ggml.tokens");
    put_u32(&front, W_ARRAY);
    put_u32(&front, W_STRING);
    put_u64(&front, 1000000000);
    struct gguf_source source = { read_zeros, &front, (uint64_t)1 << 40 };
    struct gguf_meta meta;
    struct error err;
    assert_false(gguf_meta_visit(&source, NULL, &meta, &err));
    assert_non_null(strstr(err.text, "128 MiB"));
    buf_clear(&front);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_facts_of_a_model),
        cmocka_unit_test(test_version_2_is_read_and_others_are_refused),
        cmocka_unit_test(test_other_files_are_refused),
        cmocka_unit_test(test_every_cut_is_found),
        cmocka_unit_test(test_huge_counts_are_refused),
        cmocka_unit_test(test_huge_lengths_are_refused),
        cmocka_unit_test(test_huge_arrays_are_refused),
        cmocka_unit_test(test_unknown_types_are_refused),
        cmocka_unit_test(test_impossible_tensors_are_refused),
        cmocka_unit_test(test_alignment_is_a_power_of_two),
        cmocka_unit_test(test_alignment_counts_for_the_end),
        cmocka_unit_test(test_heads_by_layer),
        cmocka_unit_test(test_unknown_values_are_passed_over),
        cmocka_unit_test(test_odd_types_of_known_keys),
        cmocka_unit_test(test_long_texts_are_cut),
        cmocka_unit_test(test_a_source_that_fails),
        cmocka_unit_test(test_endless_headers_are_refused),
        cmocka_unit_test(test_a_visitor_sees_every_pair),
        cmocka_unit_test(test_a_model_with_marks_for_a_gap_fills_in),
        cmocka_unit_test(test_marks_are_found_anywhere_in_a_vocabulary),
    };
    return cmocka_run_group_tests_name("gguf_meta", tests, NULL, NULL);
}
