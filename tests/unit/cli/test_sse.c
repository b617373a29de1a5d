/* SPDX-License-Identifier: MIT */
#include "parts.h"

#include <stdlib.h>
#include <string.h>

#include "cli/sse.h"

/* What was seen, as text: "name=data;" and ":comment;". */
static void note(void *ctx, const struct sse_event *ev) {
    struct buf *seen = ctx;
    if (ev->kind == SSE_COMMENT) {
        buf_addf(seen, ":%.*s;", (int)ev->len, ev->text);
    } else {
        buf_addf(seen, "%s=%.*s;", ev->name, (int)ev->len, ev->text);
    }
}

static const char stream[] = "data: one\n\n"
                             ": loading 42%\r\n\r\n"
                             "event: progress\r\ndata:{\"a\":1}\r\n\r\n"
                             "data: first\ndata: second\r\rdata\n\n"
                             "event: nothing\n\n"
                             "id: 7\nretry: 5\nother: x\ndata:  two spaces\n\n"
                             "data: cut off";
static const char want[] = "message=one;:loading 42%;progress={\"a\":1};message=first\nsecond;"
                           "message=;message= two spaces;";

/* Every way to cut the stream in three gives the same events. */
static void test_any_cut(void **state) {
    (void)state;
    size_t len = sizeof stream - 1;
    for (size_t a = 0; a <= len; a++) {
        for (size_t b = a; b <= len; b++) {
            struct buf seen = BUF_INIT(4096);
            struct sse s;
            sse_init(&s, note, &seen);
            assert_true(sse_feed(&s, stream, a));
            assert_true(sse_feed(&s, stream + a, b - a));
            assert_true(sse_feed(&s, stream + b, len - b));
            assert_string_equal(buf_str(&seen), want);
            sse_clear(&s);
            buf_clear(&seen);
        }
    }
}

static void test_too_large(void **state) {
    (void)state;
    size_t len = SSE_MAX_EVENT;
    char *bytes = malloc(len + 1);
    struct buf seen = BUF_INIT(64);
    struct sse s;
    assert_non_null(bytes);
    memset(bytes, 'x', len + 1);
    sse_init(&s, note, &seen);
    assert_true(sse_feed(&s, bytes, len));
    assert_false(sse_feed(&s, bytes, 1));
    sse_clear(&s);

    /* Lines that fit one by one, but not together. */
    for (size_t i = 0; i < 6; i++) bytes[i] = "data: "[i];
    sse_init(&s, note, &seen);
    assert_true(sse_feed(&s, bytes, len / 2) && sse_feed(&s, "\n", 1));
    assert_true(sse_feed(&s, bytes, len / 2) && sse_feed(&s, "\n", 1));
    assert_false(sse_feed(&s, bytes, len / 2) && sse_feed(&s, "\n", 1));
    sse_clear(&s);
    free(bytes);
    assert_int_equal(seen.len, 0);
    buf_clear(&seen);
}

int run_sse(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_cut),
        cmocka_unit_test(test_too_large),
    };
    return cmocka_run_group_tests_name("sse", tests, NULL, NULL);
}
