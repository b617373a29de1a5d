/* SPDX-License-Identifier: MIT */
#include "http/stream.h"

#include <assert.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/xalloc.h"

enum {
    BLOCK_SIZE = 64 * 1024,
    /* The kernel buffers no more than this: without a limit it would buffer megabytes for a
     * client that does not read. */
    NOTSENT_LOWAT = 128 * 1024,
    PROBE_AFTER = 60, /* seconds of silence, then TCP asks whether the peer is still there */
    GIVEN_PIECE = 256 * 1024, /* of what was given whole, queued at a time */
    SEND_AFTER = 64 * 1024,   /* encrypted bytes of one call that are sent together */
    CHATTER_MAX = 64 * 1024,  /* bytes of handshakes and key updates that nobody reads */
    TURN_US = 5000, /* that slow reads may take together before others have their turn */
    SLOW_US = 500,  /* what makes a read one */
};

struct stream_block {
    struct stream_block *next;
    size_t start; /* first byte not sent */
    size_t end;
    char bytes[BLOCK_SIZE];
};

/* A handshake with an RSA key computes for milliseconds, as does a compressed body with each
 * read, and many may come at once. */
static bool has_turn(const struct stream *s) {
    struct stream_shared *shared = s->shared;
    uint64_t turn = uv_now(s->tcp.loop);
    if (stream_is_ready(s) && !s->slow) return true;
    if (shared->turn != turn) shared->slow_reads = 0;
    shared->turn = turn;
    return shared->slow_reads < TURN_US * 1000;
}

/* Without room the bytes stay in the kernel, which tells of them again in the next turn. */
static void stream_on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buf) {
    struct stream *s = handle->data;
    (void)suggested;
    *ret_buf = uv_buf_init(s->shared->read_buffer, has_turn(s) ? STREAM_READ_SIZE : 0);
}

static void read_secured(struct stream *s, const char *bytes, size_t len);

/* Time of this thread only, so that waiting for others does not count. */
static uint64_t computed_ns(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void read_timed(struct stream *s, const char *bytes, size_t len) {
    bool ready = stream_is_ready(s);
    uint64_t began = computed_ns();
    if (s->tls)
        read_secured(s, bytes, len);
    else if (!s->refused)
        s->events->on_read(s->ctx, bytes, len);
    uint64_t took = computed_ns() - began;
    s->slow = took > SLOW_US * 1000;
    if (s->slow || !ready) s->shared->slow_reads += took;
}

static void stream_on_read(uv_stream_t *tcp, ssize_t len, const uv_buf_t *buf) {
    struct stream *s = tcp->data;
    if (len == UV_ENOBUFS) return; /* it is not its turn */
    if (len > 0) read_timed(s, buf->base, (size_t)len);
    if (len < 0) {
        uv_read_stop(tcp);
        s->events->on_end(s->ctx, (int)len);
    }
}

static void set_options(struct stream *s, int fd) {
    /* Failures are ignored: the stream works without these options, only less well. */
    int lowat = NOTSENT_LOWAT;
    (void)uv_tcp_nodelay(&s->tcp, 1);
    (void)uv_tcp_keepalive(&s->tcp, 1, PROBE_AFTER);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &lowat, sizeof lowat);
}

bool stream_open(struct stream *s, uv_loop_t *loop, int fd, struct stream_shared *shared,
                 const struct stream_events *events, void *ctx) {
    *s = (struct stream){ .shared = shared, .events = events, .ctx = ctx };
    (void)uv_tcp_init(loop, &s->tcp); /* cannot fail without a socket to make */
    s->tcp.data = s;
    s->write.data = s;
    if (uv_tcp_open(&s->tcp, fd) != 0) {
        close(fd);
        return false;
    }
    set_options(s, fd);
    return stream_resume_reading(s);
}

void stream_secure(struct stream *s, struct tls_session *tls) {
    s->tls = tls;
}

bool stream_is_ready(const struct stream *s) {
    return !s->tls || tls_session_is_open(s->tls);
}

void stream_pause_reading(struct stream *s) {
    (void)uv_read_stop((uv_stream_t *)&s->tcp);
}

bool stream_resume_reading(struct stream *s) {
    int status = uv_read_start((uv_stream_t *)&s->tcp, stream_on_alloc, stream_on_read);
    return status == 0 || status == UV_EALREADY;
}

static void drop_first_block(struct stream *s) {
    struct stream_block *block = s->first;
    s->first = block->next;
    if (!s->first) s->last = NULL;
    free(block);
}

static struct stream_block *room_block(struct stream *s) {
    if (s->last && s->last->end < BLOCK_SIZE) return s->last;
    struct stream_block *block = xrealloc(NULL, sizeof *block);
    block->next = NULL;
    block->start = block->end = 0;
    if (s->last) s->last->next = block;
    if (!s->first) s->first = block;
    s->last = block;
    return block;
}

static void queue_bytes(struct stream *s, const char *bytes, size_t len) {
    s->queued += len;
    s->shared->queued += len;
    while (len > 0) {
        struct stream_block *block = room_block(s);
        size_t part = BLOCK_SIZE - block->end;
        if (part > len) part = len;
        memcpy(block->bytes + block->end, bytes, part);
        block->end += part;
        bytes += part;
        len -= part;
    }
}

static void stream_on_written(uv_write_t *write, int status);

/* One block at a time: bytes may still be added behind those of the running write. */
static bool write_first_block(struct stream *s) {
    if (!s->first || s->writing > 0) return true;
    struct stream_block *block = s->first;
    s->writing = block->end - block->start;
    uv_buf_t buf = uv_buf_init(block->bytes + block->start, (unsigned)s->writing);
    return uv_write(&s->write, (uv_stream_t *)&s->tcp, &buf, 1, stream_on_written) == 0;
}

static bool queue_given(struct stream *s);

static void stream_on_written(uv_write_t *write, int status) {
    struct stream *s = write->data;
    struct stream_block *block = s->first;
    size_t len = s->writing;
    s->writing = 0;
    if (uv_is_closing((uv_handle_t *)&s->tcp)) return;
    if (status < 0) {
        s->events->on_end(s->ctx, status);
        return;
    }
    block->start += len;
    s->queued -= len;
    s->shared->queued -= len;
    if (block->start == block->end) drop_first_block(s);
    if (!queue_given(s) || !write_first_block(s)) {
        s->events->on_end(s->ctx, UV_EPIPE);
        return;
    }
    s->events->on_progress(s->ctx);
}

static bool has_rest(const struct stream *s) {
    return s->rest_at < s->rest.len;
}

/* Bytes as they are to be on the wire. Those of a rest are all queued: the end of their write
 * brings the next ones. */
static bool send_bytes(struct stream *s, const uv_buf_t *bufs, unsigned count) {
    size_t taken = 0;
    if (!s->first && !s->rest.data) {
        int status = uv_try_write((uv_stream_t *)&s->tcp, bufs, count);
        if (status < 0 && status != UV_EAGAIN) return false;
        if (status > 0) taken = (size_t)status;
    }
    for (unsigned i = 0; i < count; i++) {
        size_t skip = taken < bufs[i].len ? taken : bufs[i].len;
        taken -= skip;
        s->added += bufs[i].len;
        queue_bytes(s, bufs[i].base + skip, bufs[i].len - skip);
    }
    return write_first_block(s);
}

/* ---- TLS ---- */

/* What the session wants to be sent. */
static bool send_output(struct stream *s) {
    struct buf *out = tls_session_output(s->tls);
    if (out->len == 0) return true;
    uv_buf_t buf = { .base = out->data, .len = out->len };
    bool ok = send_bytes(s, &buf, 1);
    buf_clear(out);
    return ok;
}

static bool encrypt(struct stream *s, const char *bytes, size_t len) {
    if (len == 0) return true;
    if (!tls_session_write(s->tls, bytes, len)) return false;
    return tls_session_output(s->tls)->len < SEND_AFTER || send_output(s);
}

/* Small pieces share a record: an event of a stream comes in three. */
static bool write_secured(struct stream *s, const uv_buf_t *bufs, unsigned count) {
    char piece[TLS_PIECE];
    size_t len = 0;
    bool ok = true;
    for (unsigned i = 0; i < count && ok; i++) {
        for (size_t at = 0; at < bufs[i].len && ok;) {
            size_t part = sizeof piece - len;
            if (part > bufs[i].len - at) part = bufs[i].len - at;
            memcpy(piece + len, bufs[i].base + at, part);
            at += part;
            len += part;
            if (len < sizeof piece) continue;
            ok = encrypt(s, piece, len);
            len = 0;
        }
    }
    return ok && encrypt(s, piece, len) && send_output(s);
}

/* What the session answers by itself; false if the client asks and asks and does not read. */
static bool send_chatter(struct stream *s) {
    s->chatter += tls_session_output(s->tls)->len;
    if (!send_output(s)) return false;
    if (!s->first) s->chatter = 0;
    return s->chatter <= CHATTER_MAX;
}

/* There will be no session. A client that does not try is answered in plain text. */
static void refuse(struct stream *s) {
    const char *why = tls_session_why(s->tls);
    s->refused = true;
    if (tls_session_is_foreign(s->tls)) {
        tls_session_free(s->tls);
        s->tls = NULL;
        why = NULL;
    }
    s->events->on_refused(s->ctx, why);
}

static void end_secured(struct stream *s, enum tls_step step, bool was_ready) {
    tls_session_feed(s->tls, NULL, 0); /* nothing is borrowed from here on */
    if (step == TLS_BROKEN && !was_ready) {
        refuse(s);
    } else if (step != TLS_MORE) {
        uv_read_stop((uv_stream_t *)&s->tcp);
        s->events->on_end(s->ctx, step == TLS_END ? UV_EOF : UV_EPROTO);
    }
}

static void read_secured(struct stream *s, const char *bytes, size_t len) {
    char plain[TLS_PIECE];
    enum tls_step step;
    size_t got = 0;
    bool was_ready = stream_is_ready(s);
    if (s->refused) return;
    tls_session_feed(s->tls, bytes, len);
    do {
        step = tls_session_read(s->tls, plain, sizeof plain, &got);
        if (!send_chatter(s)) step = TLS_BROKEN;
        if (!was_ready && stream_is_ready(s)) {
            was_ready = true;
            s->events->on_ready(s->ctx);
        }
        if (step == TLS_BYTES) s->events->on_read(s->ctx, plain, got);
        if (uv_is_closing((uv_handle_t *)&s->tcp)) return;
    } while (step == TLS_BYTES);
    end_secured(s, step, was_ready);
}

static bool write_any(struct stream *s, const uv_buf_t *bufs, unsigned count) {
    return s->tls ? write_secured(s, bufs, count) : send_bytes(s, bufs, count);
}

bool stream_write(struct stream *s, const uv_buf_t *bufs, unsigned count) {
    if (uv_is_closing((uv_handle_t *)&s->tcp)) return false;
    assert(!has_rest(s));
    return write_any(s, bufs, count);
}

/* ---- what was given whole ---- */

/* Count `len` bytes of the rest that are in no block. */
static void count_rest(struct stream *s, size_t len) {
    s->added += len;
    s->queued += len;
    s->shared->queued += len;
}

/* They go into one, which counts them. */
static void uncount_rest(struct stream *s, size_t len) {
    s->added -= len;
    s->queued -= len;
    s->shared->queued -= len;
}

static void drop_rest(struct stream *s) {
    buf_clear(&s->rest);
    s->rest_at = 0;
}

/* The next piece, once the blocks are empty. */
static bool queue_given(struct stream *s) {
    size_t left = s->rest.len - s->rest_at, part = left < GIVEN_PIECE ? left : GIVEN_PIECE;
    uv_buf_t piece = { .base = s->rest.data + s->rest_at, .len = part };
    if (s->first || part == 0) return true;
    s->rest_at += part;
    uncount_rest(s, part);
    bool ok = write_any(s, &piece, 1);
    if (!has_rest(s)) drop_rest(s);
    return ok;
}

bool stream_give(struct stream *s, struct buf *bytes) {
    if (uv_is_closing((uv_handle_t *)&s->tcp)) {
        buf_clear(bytes);
        return false;
    }
    assert(!has_rest(s));
    s->rest = *bytes;
    s->rest_at = 0;
    buf_init(bytes, bytes->max);
    count_rest(s, s->rest.len);
    return queue_given(s);
}

/* ---- the end ---- */

bool stream_is_reset(const struct stream *s) {
    uv_os_fd_t fd;
    int error = 0;
    socklen_t len = sizeof error;
    bool known = uv_fileno((const uv_handle_t *)&s->tcp, &fd) == 0 &&
                 getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0;
    return !known || error != 0;
}

bool stream_is_flushed(const struct stream *s) {
    return !s->first && !has_rest(s);
}

size_t stream_unsent(const struct stream *s) {
    if (s->writing == 0) return s->queued;
    return s->queued - s->writing +
           uv_stream_get_write_queue_size((const uv_stream_t *)&s->tcp);
}

uint64_t stream_sent(const struct stream *s) {
    return s->added - stream_unsent(s);
}

bool stream_shutdown(struct stream *s) {
    assert(stream_is_flushed(s));
    if (s->tls) {
        tls_session_end(s->tls);
        if (!send_output(s)) return false;
    }
    return uv_shutdown(&s->shutdown, (uv_stream_t *)&s->tcp, NULL) == 0;
}

static void stream_on_closed(uv_handle_t *handle) {
    struct stream *s = handle->data;
    while (s->first) drop_first_block(s);
    tls_session_free(s->tls);
    s->tls = NULL;
    s->events->on_closed(s->ctx);
}

static void forget_queue(struct stream *s) {
    s->shared->queued -= s->queued;
    s->queued = 0;
    s->writing = 0;
    drop_rest(s);
}

/* As far as the kernel takes it. */
static void say_end(struct stream *s) {
    struct buf *out = tls_session_output(s->tls);
    tls_session_end(s->tls);
    uv_buf_t buf = { .base = out->data, .len = out->len };
    if (out->len > 0) (void)uv_try_write((uv_stream_t *)&s->tcp, &buf, 1);
    buf_clear(out);
}

void stream_close(struct stream *s) {
    if (s->tls && stream_is_flushed(s)) say_end(s);
    forget_queue(s);
    uv_close((uv_handle_t *)&s->tcp, stream_on_closed);
}

void stream_reset(struct stream *s) {
    forget_queue(s);
    int status = uv_tcp_close_reset(&s->tcp, stream_on_closed);
    if (status != 0) uv_close((uv_handle_t *)&s->tcp, stream_on_closed); /* after a FIN */
}
