/* SPDX-License-Identifier: MIT */
/*
 * stream.h - one accepted TCP connection as a byte stream: bytes in by callback, bytes out
 * through a queue that holds only what the kernel does not take at once. With stream_secure the
 * connection carries TLS, and the owner's bytes are what is inside.
 *
 * Knows no HTTP and sets no limits but one, on what a client can make TLS say by itself; it
 * counts what its owner has to limit. Callbacks of the owner never come from inside a stream_*
 * call.
 */
#ifndef DOZE_HTTP_STREAM_H
#define DOZE_HTTP_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/buf.h"
#include "http/tls.h"

enum {
    STREAM_READ_SIZE = 64 * 1024,
    /* Most that on_read still brings after stream_pause_reading: one read and, of TLS, the
     * record that it completes. */
    STREAM_LATE_MAX = STREAM_READ_SIZE + TLS_PIECE,
};

struct stream_block;

struct stream_events {
    void (*on_read)(void *ctx, const char *bytes, size_t len);
    void (*on_end)(void *ctx, int status); /* UV_EOF, or a broken stream's error; close it */
    void (*on_progress)(void *ctx);        /* the client took bytes that were queued */
    void (*on_closed)(void *ctx);          /* after stream_close; the memory may be freed */
    /* Of TLS only: the handshake is complete; or there will be none, and why, NULL if the
     * client does not try: then the stream is plain. What it sends is dropped from now on. */
    void (*on_ready)(void *ctx);
    void (*on_refused)(void *ctx, const char *why);
};

struct stream_shared {
    char *read_buffer;   /* STREAM_READ_SIZE bytes, used by one read callback at a time */
    size_t queued;       /* by all streams */
    uint64_t turn;       /* of the loop: its time then, ... */
    uint64_t slow_reads; /* ... and the nanoseconds that slow reads took in it */
};

struct stream {
    uv_tcp_t tcp;
    uv_write_t write;
    uv_shutdown_t shutdown;
    const struct stream_events *events;
    void *ctx;
    struct stream_shared *shared;
    struct stream_block *first, *last;
    struct buf rest;         /* bytes that were given whole: they follow the blocks */
    size_t rest_at;          /* first byte of it that is in no block yet */
    size_t queued;           /* bytes in blocks, those of the running write included, and of
                                the rest */
    size_t writing;          /* bytes of the running write, 0: none */
    uint64_t added;          /* bytes ever queued or sent */
    struct tls_session *tls; /* NULL: plain */
    size_t chatter;          /* bytes of TLS itself since the queue was empty */
    bool refused;            /* on_refused was called */
    bool slow;               /* its last read took long: the next waits for its turn */
};

/* Takes fd, also on failure. False if the loop cannot watch it: fd is closed, and the caller
 * must still call stream_close. Borrows events and shared for its life. */
bool stream_open(struct stream *s, uv_loop_t *loop, int fd, struct stream_shared *shared,
                 const struct stream_events *events, void *ctx)
    __attribute__((warn_unused_result));

/* Speak TLS; before the loop goes on after stream_open. Takes the session. */
void stream_secure(struct stream *s, struct tls_session *tls);
/* May bytes be written: is it plain, or the handshake complete? */
bool stream_is_ready(const struct stream *s);

/* Pause and resume reading. A new stream reads. */
void stream_pause_reading(struct stream *s);
bool stream_resume_reading(struct stream *s) __attribute__((warn_unused_result));

/* Send copies of the bytes, once the stream is ready. False if it is broken: close it. */
bool stream_write(struct stream *s, const uv_buf_t *bufs, unsigned count)
    __attribute__((warn_unused_result));

/* The same with many bytes, which it takes in any case. They go out by and by, so that neither
 * copying nor encrypting them holds the loop; they are the last to be written. */
bool stream_give(struct stream *s, struct buf *bytes) __attribute__((warn_unused_result));

/* Has the client answered bytes with a reset? After on_end(UV_EOF) nothing else tells. */
bool stream_is_reset(const struct stream *s);

/* Bytes, as they are on the wire, that the kernel has not taken yet. */
size_t stream_unsent(const struct stream *s);
/* Is nothing queued? If not, on_progress or on_end will follow. */
bool stream_is_flushed(const struct stream *s);
/* Bytes ever taken by the kernel. */
uint64_t stream_sent(const struct stream *s);

/* Send FIN, after the end of TLS. Only while nothing is queued. False if the stream is broken.
 */
bool stream_shutdown(struct stream *s) __attribute__((warn_unused_result));

/* Close now, dropping what is queued; on_closed follows. */
void stream_close(struct stream *s);
/* The same with a reset, so that the client does not take the end for a clean one. */
void stream_reset(struct stream *s);

#endif
