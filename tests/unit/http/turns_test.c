/* SPDX-License-Identifier: MIT */
/* Streams whose bytes take long to work on, as those of a compressed body do: in each turn of
 * the loop the others are read, too. */
#include "cmocka_prelude.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "http/stream.h"

enum {
    SLOW = 4,
    WAITING = 2 * STREAM_READ_SIZE, /* bytes for each of them */
    WORK_NS = 2000000,              /* for each read */
    READS_MAX = SLOW + 3,           /* in one turn: the first of each, and what 5 ms hold */
};

struct side {
    struct stream stream;
    int peer;
    bool slow;
    size_t reads, bytes;
};

struct scene {
    uv_loop_t loop;
    struct stream_shared shared;
    struct side sides[SLOW + 1]; /* the last one is quick */
};

/* By this thread, however busy the machine is. */
static long computed_ns(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * 1000000000 + now.tv_nsec;
}

static void on_read(void *ctx, const char *bytes, size_t len) {
    struct side *side = ctx;
    long end = computed_ns() + WORK_NS;
    (void)bytes;
    side->reads++;
    side->bytes += len;
    while (side->slow && computed_ns() < end) {}
}

static void on_end(void *ctx, int status) {
    (void)ctx;
    fail_msg("a stream ended: %s", uv_strerror(status));
}

static void on_other(void *ctx) {
    (void)ctx;
}

static const struct stream_events events = {
    .on_read = on_read, .on_end = on_end, .on_progress = on_other, .on_closed = on_other
};

static void side_open(struct scene *s, struct side *side, bool slow) {
    int pair[2], room = 4 * WAITING;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof room), 0);
    side->peer = pair[1];
    side->slow = slow;
    assert_true(stream_open(&side->stream, &s->loop, pair[0], &s->shared, &events, side));
}

static struct scene *scene_open(void) {
    struct scene *s = xcalloc(1, sizeof *s);
    assert_int_equal(uv_loop_init(&s->loop), 0);
    s->shared.read_buffer = xcalloc(STREAM_READ_SIZE, 1);
    for (int i = 0; i <= SLOW; i++) side_open(s, &s->sides[i], i < SLOW);
    return s;
}

static void scene_close(struct scene *s) {
    for (int i = 0; i <= SLOW; i++) {
        stream_close(&s->sides[i].stream);
        close(s->sides[i].peer);
    }
    assert_int_equal(uv_run(&s->loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&s->loop), 0);
    free(s->shared.read_buffer);
    free(s);
}

static void fill(const struct side *side, size_t len) {
    char *bytes = xcalloc(len, 1);
    assert_int_equal(write(side->peer, bytes, len), len);
    free(bytes);
}

static size_t slow_reads(const struct scene *s, size_t *ret_bytes) {
    size_t reads = 0;
    *ret_bytes = 0;
    for (int i = 0; i < SLOW; i++) {
        reads += s->sides[i].reads;
        *ret_bytes += s->sides[i].bytes;
    }
    return reads;
}

static void test_slow_reads_leave_turns_to_others(void **state) {
    struct scene *s = scene_open();
    struct side *quick = &s->sides[SLOW];
    size_t before = 0, bytes = 0, turns = 0;
    (void)state;
    for (int i = 0; i < SLOW; i++) fill(&s->sides[i], WAITING);
    while (bytes < (size_t)SLOW * WAITING) {
        fill(quick, 1);
        (void)uv_run(&s->loop, UV_RUN_NOWAIT);
        size_t reads = slow_reads(s, &bytes);
        assert_int_equal(quick->bytes, ++turns); /* in each turn */
        assert_true(reads - before <= READS_MAX);
        before = reads;
    }
    assert_true(turns > 1);
    scene_close(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slow_reads_leave_turns_to_others),
    };
    return cmocka_run_group_tests_name("turns", tests, NULL, NULL);
}
