/* SPDX-License-Identifier: MIT */
#include "daemon/engine_probe.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/xalloc.h"
#include "supervisor/read_buffer.h"
#include "supervisor/worker_environment.h"

/* A driver that wakes a sleeping card takes some seconds. */
enum { PATIENCE_MS = 15000, REPORT_MAX = 1 << 16 };

struct engine_probe {
    uv_process_t process;
    uv_pipe_t pipe;
    uv_timer_t timer;
    enum engine_kind kind;
    struct engine_probe_sink sink;
    struct buf printed;
    char how[128]; /* it ended badly; "" */
    bool closed, exited, late;
    int open_handles;
};

static void probe_on_closed(uv_handle_t *handle) {
    struct engine_probe *p = handle->data;
    if (--p->open_handles > 0) return;
    buf_clear(&p->printed);
    free(p);
}

static void probe_tell(struct engine_probe *p) {
    struct engine_state state = { .installed = true };
    struct error err;
    if (p->how[0])
        snprintf(state.problem, sizeof state.problem, "%s", p->how);
    else if (!engine_report_parse(buf_str(&p->printed), p->printed.len, &state.report, &err))
        snprintf(state.problem, sizeof state.problem, "%.250s", err.text);
    else
        snprintf(state.problem, sizeof state.problem, "%s", state.report.problem);
    p->sink.on_end(p->sink.ctx, p->kind, &state);
}

static void probe_end(struct engine_probe *p) {
    probe_tell(p);
    uv_close((uv_handle_t *)&p->process, probe_on_closed);
    uv_close((uv_handle_t *)&p->pipe, probe_on_closed);
    uv_close((uv_handle_t *)&p->timer, probe_on_closed);
}

static void probe_on_exit(uv_process_t *process, int64_t status, int number) {
    struct engine_probe *p = process->data;
    if (p->late) {
        snprintf(p->how, sizeof p->how, "Its driver did not answer in %d s.",
                 PATIENCE_MS / 1000);
    } else if (number) {
        snprintf(p->how, sizeof p->how, "Its driver crashed: signal %d (%s).", number,
                 strsignal(number));
    } else if (status) {
        snprintf(p->how, sizeof p->how, "It cannot be started (status %d).", (int)status);
    }
    p->exited = true;
    if (p->closed) probe_end(p);
}

static void probe_on_timer(uv_timer_t *timer) {
    struct engine_probe *p = timer->data;
    p->late = true;
    (void)uv_process_kill(&p->process, SIGKILL);
}

static void probe_on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *bytes) {
    struct engine_probe *p = stream->data;
    if (count > 0) (void)buf_add(&p->printed, bytes->base, (size_t)count);
    if (count >= 0) return;
    uv_read_stop(stream);
    p->closed = true;
    if (p->exited) probe_end(p);
}

static int probe_spawn(struct engine_probe *p, const struct worker_program *program) {
    static char option[] = "--devices";
    char *args[] = { (char *)(uintptr_t)program->path, option, NULL };
    uv_stdio_container_t stdio[] = { { .flags = UV_IGNORE },
                                     { .flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
                                       .data.stream = (uv_stream_t *)&p->pipe },
                                     { .flags = UV_IGNORE } };
    uv_process_options_t options = { .exit_cb = probe_on_exit,
                                     .file = program->path,
                                     .args = args,
                                     .env = worker_environment(environ, program->libraries),
                                     .stdio_count = 3,
                                     .stdio = stdio };
    int status = uv_spawn(p->pipe.loop, &p->process, &options);
    free(options.env);
    return status;
}

void engine_probe_start(uv_loop_t *loop, enum engine_kind kind,
                        const struct worker_program *program, struct engine_probe_sink sink) {
    struct engine_probe *p = xcalloc(1, sizeof *p);
    *p = (struct engine_probe){ .kind = kind, .sink = sink, .open_handles = 3 };
    buf_init(&p->printed, REPORT_MAX);
    uv_pipe_init(loop, &p->pipe, 0);
    uv_timer_init(loop, &p->timer);
    p->process.data = p->pipe.data = p->timer.data = p;
    int status = probe_spawn(p, program);
    if (status < 0) {
        snprintf(p->how, sizeof p->how, "It cannot be started: %s.", uv_strerror(status));
        probe_end(p);
        return;
    }
    uv_timer_start(&p->timer, probe_on_timer, PATIENCE_MS, 0);
    uv_read_start((uv_stream_t *)&p->pipe, read_buffer_alloc, probe_on_read);
}
