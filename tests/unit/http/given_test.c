/* SPDX-License-Identifier: MIT */
/* Bytes that a stream was given whole: it copies a small part of them at a time, and all of
 * them arrive. */
#include "cmocka_prelude.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "http/stream.h"

enum {
    GIVEN = 60 << 20,
    TURN_MAX = 1 << 20, /* that one turn of the loop may copy */
};

struct scene {
    uv_loop_t loop;
    struct stream_shared shared;
    struct stream stream;
    int peer;
    int progress, closed;
};

static void on_read(void *ctx, const char *bytes, size_t len) {
    (void)ctx, (void)bytes, (void)len;
}

static void on_end(void *ctx, int status) {
    (void)ctx;
    fail_msg("the stream ended: %s", uv_strerror(status));
}

static void on_progress(void *ctx) {
    ((struct scene *)ctx)->progress++;
}

static void on_closed(void *ctx) {
    ((struct scene *)ctx)->closed++;
}

static const struct stream_events events = {
    .on_read = on_read, .on_end = on_end, .on_progress = on_progress, .on_closed = on_closed
};

static void scene_open(struct scene *s) {
    int pair[2];
    *s = (struct scene){ .shared.read_buffer = xcalloc(STREAM_READ_SIZE, 1) };
    assert_int_equal(uv_loop_init(&s->loop), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    s->peer = pair[1];
    assert_true(stream_open(&s->stream, &s->loop, pair[0], &s->shared, &events, s));
}

static void scene_close(struct scene *s) {
    stream_close(&s->stream);
    assert_int_equal(uv_run(&s->loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(s->closed, 1);
    assert_int_equal(s->shared.queued, 0);
    assert_int_equal(uv_loop_close(&s->loop), 0);
    close(s->peer);
    free(s->shared.read_buffer);
}

/* Of a period that no block's length is a multiple of. */
static char letter(size_t at) {
    return (char)('a' + at % 23);
}

static struct buf letters(size_t len) {
    struct buf bytes = BUF_INIT(GIVEN);
    char *room = buf_reserve(&bytes, len);
    for (size_t i = 0; i < len; i++) room[i] = letter(i);
    bytes.len = len;
    return bytes;
}

/* What the peer can read now. */
static void take(const struct scene *s, size_t *at) {
    static char bytes[1 << 18];
    ssize_t got = recv(s->peer, bytes, sizeof bytes, MSG_DONTWAIT);
    for (ssize_t i = 0; i < got; i++) assert_int_equal(bytes[i], letter((*at)++));
}

static void test_a_large_answer_is_copied_a_part_at_a_time(void **state) {
    struct scene s;
    struct buf bytes = letters(GIVEN);
    size_t at = 0, before;
    (void)state;
    scene_open(&s);
    assert_true(stream_give(&s.stream, &bytes));
    assert_int_equal(bytes.len, 0);
    assert_true(s.stream.rest_at <= TURN_MAX);
    assert_true(s.shared.queued > GIVEN - TURN_MAX); /* all of it counts */
    while (!stream_is_flushed(&s.stream)) {
        before = s.stream.rest_at;
        (void)uv_run(&s.loop, UV_RUN_NOWAIT);
        assert_true(s.stream.rest_at <= before + TURN_MAX);
        take(&s, &at);
    }
    while (at < GIVEN) take(&s, &at);
    assert_int_equal(stream_sent(&s.stream), GIVEN);
    assert_true(s.progress > 0);
    scene_close(&s);
}

/* Nobody else would say that it is over. */
static void test_the_end_of_a_short_one_is_told_too(void **state) {
    struct scene s;
    struct buf bytes = letters(1);
    size_t at = 0;
    (void)state;
    scene_open(&s);
    assert_true(stream_give(&s.stream, &bytes));
    assert_false(stream_is_flushed(&s.stream));
    while (s.progress == 0) (void)uv_run(&s.loop, UV_RUN_ONCE);
    assert_true(stream_is_flushed(&s.stream));
    take(&s, &at);
    assert_int_equal(at, 1);
    scene_close(&s);
}

static void test_a_client_that_reads_nothing_holds_no_copy(void **state) {
    struct scene s;
    struct buf bytes = letters(GIVEN);
    (void)state;
    scene_open(&s);
    assert_true(stream_give(&s.stream, &bytes));
    for (int i = 0; i < 100; i++) (void)uv_run(&s.loop, UV_RUN_NOWAIT);
    assert_true(s.stream.rest_at <= TURN_MAX);
    scene_close(&s); /* with most of it unsent */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_large_answer_is_copied_a_part_at_a_time),
        cmocka_unit_test(test_the_end_of_a_short_one_is_told_too),
        cmocka_unit_test(test_a_client_that_reads_nothing_holds_no_copy),
    };
    return cmocka_run_group_tests_name("given", tests, NULL, NULL);
}
