/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ipc/frame.h"

enum { LIMIT = 1000 };

/* frame.h: u32 length, u16 type, u16 zero, u64 request, all little endian. */
static void test_the_bytes(void **state) {
    (void)state;
    static const unsigned char expected[] = { 3, 0, 0, 0, 0x21, 0x01, 0,   0,   8,  7,
                                              6, 5, 4, 3, 2,    1,    'a', 'b', 'c' };
    struct buf out = BUF_INIT(100);
    assert_true(frame_format(&out, 0x121, UINT64_C(0x0102030405060708), "abc", 3));
    assert_int_equal(out.len, sizeof expected);
    assert_memory_equal(out.data, expected, sizeof expected);
    buf_clear(&out);
}

static void test_there_and_back(void **state) {
    (void)state;
    struct buf out = BUF_INIT(1000);
    assert_true(frame_format(&out, 1, 0, "", 0));
    assert_true(frame_format(&out, UINT16_MAX, UINT64_MAX, "pay\0load", 8));
    struct frame frame;
    struct error err;
    size_t used = 0, at = 0;
    assert_int_equal(frame_parse(out.data, out.len, LIMIT, &frame, &used, &err), FRAME_ONE);
    assert_int_equal(used, FRAME_HEADER_SIZE);
    assert_int_equal(frame.type, 1);
    assert_int_equal(frame.len, 0);
    at += used;
    assert_int_equal(frame_parse(out.data + at, out.len - at, LIMIT, &frame, &used, &err),
                     FRAME_ONE);
    assert_int_equal(frame.type, UINT16_MAX);
    assert_true(frame.request == UINT64_MAX);
    assert_int_equal(frame.len, 8);
    assert_memory_equal(frame.payload, "pay\0load", 8);
    assert_int_equal(at + used, out.len);
    buf_clear(&out);
}

/* Cut anywhere, more bytes are asked for and none is read that is not there. */
static void test_every_cut_waits(void **state) {
    (void)state;
    struct buf out = BUF_INIT(100);
    assert_true(frame_format(&out, 5, 6, "payload", 7));
    for (size_t len = 0; len < out.len; len++) {
        char *copy = malloc(len ? len : 1);
        memcpy(copy, out.data, len);
        struct frame frame;
        struct error err;
        size_t used = 4711;
        assert_int_equal(frame_parse(copy, len, LIMIT, &frame, &used, &err), FRAME_NONE);
        assert_int_equal(used, 4711);
        free(copy);
    }
    buf_clear(&out);
}

/* The limit is checked as soon as the header is there, before anything of the payload is. */
static void test_too_long_is_bad_at_once(void **state) {
    (void)state;
    struct frame frame;
    struct error err;
    size_t used;
    unsigned char header[FRAME_HEADER_SIZE] = { 0xe8, 0x03 }; /* 1000 */
    assert_int_equal(frame_parse((char *)header, sizeof header, LIMIT, &frame, &used, &err),
                     FRAME_NONE);
    header[0] = 0xe9; /* 1001 */
    assert_int_equal(frame_parse((char *)header, sizeof header, LIMIT, &frame, &used, &err),
                     FRAME_BAD);
    assert_int_equal(err.code, ERR_TOO_LARGE);
    memset(header, 0xff, 4);
    assert_int_equal(frame_parse((char *)header, sizeof header, LIMIT, &frame, &used, &err),
                     FRAME_BAD);
}

static void test_the_zero_is_checked(void **state) {
    (void)state;
    for (int i = 6; i < 8; i++) {
        unsigned char header[FRAME_HEADER_SIZE] = { 0 };
        header[i] = 1;
        struct frame frame;
        struct error err;
        size_t used;
        assert_int_equal(frame_parse((char *)header, sizeof header, LIMIT, &frame, &used, &err),
                         FRAME_BAD);
        assert_non_null(strstr(err.text, "damaged"));
    }
}

static void test_a_full_buffer_takes_no_half_frame(void **state) {
    (void)state;
    struct buf out = BUF_INIT(FRAME_HEADER_SIZE + 3);
    assert_true(frame_format(&out, 1, 1, "abc", 3));
    assert_int_equal(out.len, FRAME_HEADER_SIZE + 3);
    struct buf small = BUF_INIT(FRAME_HEADER_SIZE + 2);
    assert_false(frame_format(&small, 1, 1, "abc", 3));
    assert_int_equal(small.len, 0);
    buf_clear(&out);
    buf_clear(&small);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_bytes),
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_every_cut_waits),
        cmocka_unit_test(test_too_long_is_bad_at_once),
        cmocka_unit_test(test_the_zero_is_checked),
        cmocka_unit_test(test_a_full_buffer_takes_no_half_frame),
    };
    return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
