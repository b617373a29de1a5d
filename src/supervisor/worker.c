/* SPDX-License-Identifier: MIT */
#include "supervisor/worker.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/utf8.h"
#include "base/xalloc.h"
#include "lifecycle/lifecycle.h"
#include "supervisor/read_buffer.h"
#include "supervisor/worker_environment.h"

struct worker {
    uv_process_t process;
    uv_pipe_t pipe;    /* the socket */
    uv_pipe_t printed; /* what it writes to stdout and stderr */
    struct worker_owner owner;
    int slot;
    uint32_t generation;
    struct buf in;
    struct buf line; /* printed, without its end so far */
    bool closed;     /* the socket is at its end */
    bool exited;     /* the exit status was seen */
    int open_handles;
    char how[64];
};

struct outgoing {
    uv_write_t write;
    char head[FRAME_HEADER_SIZE];
    struct worker_payload payload;
};

void worker_adopt(struct worker *worker, int slot, uint32_t generation,
                  const struct worker_owner *owner) {
    worker->owner = *owner;
    worker->slot = slot;
    worker->generation = generation;
}

int worker_slot(const struct worker *worker) {
    return worker->slot;
}

uint32_t worker_generation(const struct worker *worker) {
    return worker->generation;
}

int worker_pid(const struct worker *worker) {
    return worker->process.pid;
}

void worker_kill(struct worker *worker) {
    if (!worker->exited) uv_process_kill(&worker->process, SIGKILL);
}

static void worker_on_closed(uv_handle_t *handle) {
    struct worker *worker = handle->data;
    if (--worker->open_handles > 0) return;
    buf_clear(&worker->in);
    buf_clear(&worker->line);
    free(worker);
}

/* ---- what it prints ---- */

static void worker_end_line(struct worker *worker) {
    if (worker->line.len == 0) return;
    char *line = buf_take(&worker->line);
    utf8_mend_line(line);
    worker->owner.on_line(worker->owner.ctx, worker, line);
    free(line);
}

/* The part of a line that does not fit is dropped. */
static void worker_add_printed(struct worker *worker, const char *bytes, size_t len) {
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == '\n')
            worker_end_line(worker);
        else
            (void)buf_add(&worker->line, &bytes[i], 1);
    }
}

static void worker_on_printed(uv_stream_t *stream, ssize_t count, const uv_buf_t *bytes) {
    if (count < 0) uv_read_stop(stream);
    if (count > 0) worker_add_printed(stream->data, bytes->base, (size_t)count);
}

/* The last words of a process that is gone: all of them are in the pipe. */
static void worker_read_rest(struct worker *worker) {
    char bytes[4096];
    int fd = -1;
    if (uv_fileno((uv_handle_t *)&worker->printed, &fd) == 0) {
        ssize_t count;
        while ((count = read(fd, bytes, sizeof bytes)) > 0)
            worker_add_printed(worker, bytes, (size_t)count);
    }
    worker_end_line(worker);
}

/* ---- its end ---- */

static void worker_close_handles(struct worker *worker) {
    uv_close((uv_handle_t *)&worker->pipe, worker_on_closed);
    uv_close((uv_handle_t *)&worker->printed, worker_on_closed);
    uv_close((uv_handle_t *)&worker->process, worker_on_closed);
}

static void worker_end_if_gone(struct worker *worker) {
    if (!worker->closed || !worker->exited) return;
    worker_read_rest(worker);
    worker->owner.on_gone(worker->owner.ctx, worker, worker->how);
    worker_close_handles(worker);
}

static void worker_close_socket(struct worker *worker) {
    if (worker->closed) return;
    worker->closed = true;
    uv_read_stop((uv_stream_t *)&worker->pipe);
    worker_kill(worker); /* it is useless without a socket; usually it is exiting already */
    worker_end_if_gone(worker);
}

static void worker_on_exit(uv_process_t *process, int64_t status, int signal) {
    struct worker *worker = process->data;
    if (signal) {
        snprintf(worker->how, sizeof worker->how, "was killed by signal %d (%s)", signal,
                 strsignal(signal));
    } else {
        snprintf(worker->how, sizeof worker->how, "exited with status %d", (int)status);
    }
    worker->exited = true;
    (void)kill(-process->pid, SIGKILL); /* processes that it had begun, if there are any left */
    worker_end_if_gone(worker);
}

/* Pass every whole frame to the owner. False if one is malformed. */
static bool worker_deliver(struct worker *worker) {
    size_t done = 0;
    struct frame frame;
    struct error err;
    for (;;) {
        size_t used = 0;
        enum frame_status status = frame_parse(buf_str(&worker->in) + done,
                                               worker->in.len - done, FRAME_MAX_TO_DAEMON,
                                               &frame, &used, &err);
        if (status == FRAME_BAD) return false;
        if (status == FRAME_NONE) break;
        worker->owner.on_frame(worker->owner.ctx, worker, &frame);
        done += used;
    }
    buf_drop(&worker->in, done);
    return true;
}

static void worker_on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *bytes) {
    struct worker *worker = stream->data;
    if (count == 0) return;
    if (count < 0) {
        worker_close_socket(worker);
        return;
    }
    if (buf_add(&worker->in, bytes->base, (size_t)count) && worker_deliver(worker)) return;
    worker_kill(worker);
    worker_close_socket(worker);
}

/* Close files that libraries have opened, such as libcurl's while it looks a name up: the
 * worker would inherit them. Kernels before 5.11 cannot do this. */
static void keep_files_from_programs(void) {
    (void)close_range(STDERR_FILENO + 1, UINT_MAX, CLOSE_RANGE_CLOEXEC);
}

/* lent_fd: -1: none. */
static int worker_start(struct worker *worker, const struct worker_program *program,
                        int lent_fd) {
    char *args[] = { (char *)(uintptr_t)program->path, NULL };
    uv_stdio_container_t stdio[LENT_FD + 1] = {
        { .flags = UV_IGNORE },
        { .flags = UV_IGNORE }, /* main() makes it a second stderr */
        { .flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
          .data.stream = (uv_stream_t *)&worker->printed },
        { .flags = UV_CREATE_PIPE | UV_READABLE_PIPE | UV_WRITABLE_PIPE,
          .data.stream = (uv_stream_t *)&worker->pipe },
        { .flags = UV_INHERIT_FD, .data.fd = lent_fd },
    };
    uv_process_options_t options = {
        .exit_cb = worker_on_exit,
        .file = program->path,
        .args = args,
        .env = worker_environment(environ, program->libraries),
        .flags = UV_PROCESS_DETACHED, /* a Ctrl-C at the terminal is the daemon's to answer */
        .stdio_count = lent_fd < 0 ? WORKER_FD + 1 : LENT_FD + 1,
        .stdio = stdio,
    };
    keep_files_from_programs();
    int status = uv_spawn(worker->pipe.loop, &worker->process, &options);
    free(options.env);
    return status;
}

static struct worker *worker_new(uv_loop_t *loop, const struct worker_owner *owner) {
    struct worker *worker = xcalloc(1, sizeof *worker);
    worker->owner = *owner;
    buf_init(&worker->in, FRAME_MAX_TO_DAEMON + FRAME_HEADER_SIZE + 65536);
    buf_init(&worker->line, WORKER_LINE_MAX);
    uv_pipe_init(loop, &worker->pipe, 0);
    uv_pipe_init(loop, &worker->printed, 0);
    worker->pipe.data = worker;
    worker->printed.data = worker;
    worker->process.data = worker;
    worker->open_handles = 3;
    return worker;
}

/* NULL: it is gone. */
static struct worker *worker_run(struct worker *worker, const struct worker_program *program,
                                 int lent_fd, struct error *err) {
    int status = worker_start(worker, program, lent_fd);
    if (status < 0) {
        error_set(err, ERR_IO, "The worker %s cannot be started: %s.", program->path,
                  uv_strerror(status));
        worker_close_handles(worker);
        return NULL;
    }
    uv_read_start((uv_stream_t *)&worker->printed, read_buffer_alloc, worker_on_printed);
    uv_read_start((uv_stream_t *)&worker->pipe, read_buffer_alloc, worker_on_read);
    return worker;
}

struct worker *worker_spawn(uv_loop_t *loop, const struct worker_program *program, int slot,
                            uint32_t generation, const struct worker_owner *owner,
                            struct error *err) {
    struct worker *worker = worker_new(loop, owner);
    worker->slot = slot;
    worker->generation = generation;
    return worker_run(worker, program, -1, err);
}

struct worker *worker_spawn_lent(uv_loop_t *loop, const struct worker_program *program, int fd,
                                 const struct worker_owner *owner, struct error *err) {
    struct worker *worker = worker_new(loop, owner);
    worker->slot = LC_NO_SLOT;
    return worker_run(worker, program, fd, err);
}

static void payload_clear(struct worker_payload *payload) {
    byte_hold_release(&payload->held);
    free(payload->bytes);
}

static void outgoing_on_written(uv_write_t *write, int status) {
    struct outgoing *out = write->data;
    (void)status; /* the reader notices a broken socket */
    payload_clear(&out->payload);
    free(out);
}

void worker_send_payload(struct worker *worker, enum message_type type, uint64_t request,
                         struct worker_payload *payload) {
    if (worker->closed || worker->exited) {
        payload_clear(payload);
        return;
    }
    struct outgoing *out = xcalloc(1, sizeof *out);
    out->write.data = out;
    out->payload = *payload;
    frame_format_head(out->head, (uint16_t)type, request, payload->len);
    uv_buf_t bufs[] = { { .base = out->head, .len = sizeof out->head },
                        { .base = payload->bytes, .len = payload->len } };
    int status = uv_write(&out->write, (uv_stream_t *)&worker->pipe, bufs,
                          payload->len > 0 ? 2 : 1, outgoing_on_written);
    if (status < 0) outgoing_on_written(&out->write, status);
}

void worker_send(struct worker *worker, enum message_type type, uint64_t request,
                 const void *payload, size_t len) {
    struct worker_payload copy = { .len = len };
    if (len > 0) copy.bytes = xrealloc(NULL, len);
    if (len > 0) memcpy(copy.bytes, payload, len);
    worker_send_payload(worker, type, request, &copy);
}

uint64_t worker_private_bytes(const struct worker *worker) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/statm", worker->process.pid);
    FILE *file = fopen(path, "re");
    if (!file) return 0;
    unsigned long long total = 0, resident = 0, shared = 0;
    int fields = fscanf(file, "%llu %llu %llu", &total, &resident, &shared);
    fclose(file);
    if (fields != 3 || shared > resident) return 0;
    return (resident - shared) * (uint64_t)sysconf(_SC_PAGESIZE);
}
