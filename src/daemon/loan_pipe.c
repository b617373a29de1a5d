/* SPDX-License-Identifier: MIT */
#include "daemon/loan_pipe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "supervisor/read_buffer.h"

struct loan_pipe {
    uv_pipe_t pipe;
    struct loan_pipe_events events;
    bool paused, ended, closed;
};

struct outgoing {
    uv_write_t write;
    uv_buf_t bytes;
};

static void end(struct loan_pipe *p) {
    if (p->ended || p->closed) return;
    p->ended = true;
    uv_read_stop((uv_stream_t *)&p->pipe);
    p->events.on_end(p->events.ctx);
}

static void pipe_on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *bytes) {
    struct loan_pipe *p = stream->data;
    if (count > 0) p->events.on_bytes(p->events.ctx, bytes->base, (size_t)count);
    if (count < 0) end(p);
}

struct loan_pipe *loan_pipe_open(uv_loop_t *loop, struct loan_pipe_events events, int *ret_fd,
                                 struct error *err) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        error_set(err, ERR_IO, "There is no socket for lent memory: %s.", strerror(errno));
        return NULL;
    }
    struct loan_pipe *p = xcalloc(1, sizeof *p);
    p->events = events;
    uv_pipe_init(loop, &p->pipe, 0);
    p->pipe.data = p;
    uv_pipe_open(&p->pipe, ends[0]);
    uv_read_start((uv_stream_t *)&p->pipe, read_buffer_alloc, pipe_on_read);
    *ret_fd = ends[1];
    return p;
}

static void outgoing_on_written(uv_write_t *write, int status) {
    struct outgoing *out = write->data;
    struct loan_pipe *p = write->handle->data;
    free(out->bytes.base);
    free(out);
    if (p->closed || p->ended) return;
    if (status < 0)
        end(p);
    else if (loan_pipe_untaken(p) == 0)
        p->events.on_taken(p->events.ctx);
}

void loan_pipe_write(struct loan_pipe *p, struct buf *bytes) {
    size_t len = bytes->len;
    struct outgoing *out = xcalloc(1, sizeof *out);
    out->write.data = out;
    out->bytes = (uv_buf_t){ .base = buf_take(bytes), .len = len };
    int status = uv_write(&out->write, (uv_stream_t *)&p->pipe, &out->bytes, 1,
                          outgoing_on_written);
    if (status >= 0) return;
    free(out->bytes.base); /* the reader notices its end */
    free(out);
}

size_t loan_pipe_untaken(const struct loan_pipe *p) {
    return uv_stream_get_write_queue_size((const uv_stream_t *)&p->pipe);
}

void loan_pipe_pause(struct loan_pipe *p, bool paused) {
    if (p->paused == paused || p->ended) return;
    p->paused = paused;
    if (paused)
        uv_read_stop((uv_stream_t *)&p->pipe);
    else
        uv_read_start((uv_stream_t *)&p->pipe, read_buffer_alloc, pipe_on_read);
}

static void pipe_on_closed(uv_handle_t *handle) {
    free(handle->data);
}

void loan_pipe_close(struct loan_pipe *p) {
    if (!p) return;
    p->closed = true;
    uv_close((uv_handle_t *)&p->pipe, pipe_on_closed);
}
