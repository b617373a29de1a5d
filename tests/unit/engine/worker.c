/* SPDX-License-Identifier: MIT */
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "cmocka_prelude.h"

enum { PATIENCE_MS = 60000 };

#define LIMITLESS (INT64_C(1) << 50)

/* Mutants (tools/mutants) put a worker of their own in the place of the built one. */
static void child(int fd, int lent) {
    const char *engine = getenv("DOZE_ENGINE_UNDER_TEST");
    if (!engine) engine = ENGINE;
    lent = lent < 0 ? -1 : fcntl(lent, F_DUPFD, 16); /* out of the way */
    if (fd == WORKER_FD) {
        (void)fcntl(fd, F_SETFD, 0);
    } else if (dup2(fd, WORKER_FD) < 0) {
        _exit(126);
    }
    if (lent >= 0 && (dup2(lent, LENT_FD) < 0 || close(lent) != 0)) _exit(126);
    execl(engine, engine, (char *)NULL);
    _exit(127);
}

struct worker *worker_start(void) {
    return worker_start_lent(-1);
}

struct worker *worker_start_lent(int fd) {
    struct worker *w = xcalloc(1, sizeof *w);
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    w->pid = fork();
    if (w->pid == 0) child(pair[1], fd);
    assert_true(w->pid > 0);
    close(pair[1]);
    w->fd = pair[0];
    buf_init(&w->in, (size_t)FRAME_MAX_TO_DAEMON * 2);
    for (int i = 0; i < WORKER_MAX_REQUESTS; i++) outcome_init(&w->outcomes[i]);
    assert_true(worker_pump(w)); /* HELLO */
    return w;
}

/* False: nobody is there to read it. */
static bool try_send(struct worker *w, enum message_type type, int request,
                     const char *payload) {
    struct buf out = BUF_INIT(FRAME_MAX_TO_WORKER);
    assert_true(
        frame_format(&out, (uint16_t)type, (uint64_t)request, payload, strlen(payload)));
    size_t sent = 0;
    ssize_t n = 1;
    while (n > 0 && sent < out.len) {
        n = send(w->fd, out.data + sent, out.len - sent, MSG_NOSIGNAL);
        if (n > 0) sent += (size_t)n;
    }
    assert_true(n > 0 || errno == EPIPE || errno == ECONNRESET);
    buf_clear(&out);
    return n > 0;
}

void worker_send(struct worker *w, enum message_type type, int request, const char *payload) {
    assert_true(try_send(w, type, request, payload));
}

void worker_grant(struct worker *w, int64_t ask, int64_t bytes) {
    const struct grant_message grant = { .ask = ask,
                                         .bytes = bytes,
                                         .most = w->limit,
                                         .limit = w->limit < LIMITLESS ? w->limit : 0 };
    struct buf text = BUF_INIT(1 << 10);
    grant_message_format(&grant, &text);
    (void)try_send(w, MSG_GRANT, 0, buf_str(&text));
    buf_clear(&text);
}

/* As the daemon does that has no other worker. */
static void on_grow(struct worker *w, const struct frame *f) {
    struct error err;
    assert_true(grow_message_parse(&w->asked, f->payload, f->len, &err));
    w->asks++;
    if (w->mute) return;
    int64_t bytes = w->asked.bytes < w->limit ? w->asked.bytes : w->limit;
    worker_grant(w, w->asked.ask, bytes >= w->asked.least ? bytes : 0);
}

static int64_t first_number(const struct frame *f) {
    return strtoll(strchr(f->payload, ':') + 1, NULL, 10);
}

static void on_progress(struct worker *w, const struct frame *f) {
    int permille = (int)first_number(f);
    assert_true(permille >= w->permille);
    w->permille = permille;
    w->progress++;
}

static void on_memory(struct worker *w, const struct frame *f) {
    w->resized++;
    w->memory = first_number(f);
    w->repack_ended = !memmem(f->payload, f->len, "\"waiting\"", 9) &&
                      !memmem(f->payload, f->len, "\"running\"", 9);
    w->repacked = memmem(f->payload, f->len, "\"done\"", 6) != NULL;
}

static void on_worker_frame(struct worker *w, const struct frame *f) {
    switch (f->type) {
    case MSG_HELLO:
        assert_non_null(memmem(f->payload, f->len, "llama.cpp", 9));
        break;
    case MSG_PROGRESS:
        on_progress(w, f);
        break;
    case MSG_FAILED:
        w->failed = true; /* fall through */
    case MSG_READY:
        assert_null(w->facts);
        w->facts = yyjson_read(f->payload, f->len, 0);
        assert_non_null(w->facts);
        break;
    case MSG_HEARTBEAT:
        w->heartbeats++;
        break;
    case MSG_MEMORY:
        on_memory(w, f);
        break;
    case MSG_GROW:
        on_grow(w, f);
        break;
    case MSG_LOG:
        w->logs++;
        break;
    case MSG_PARKED:
        w->parked = first_number(f);
        break;
    case MSG_STORE:
        yyjson_doc_free(w->store);
        w->store = yyjson_read(f->payload, f->len, 0);
        assert_non_null(w->store);
        break;
    default:
        fail_msg("frame type %d about the worker", f->type);
    }
}

static bool next_frame(struct worker *w) {
    struct frame frame;
    size_t used = 0;
    struct error err;
    enum frame_status status = frame_parse(buf_str(&w->in), w->in.len, FRAME_MAX_TO_DAEMON,
                                           &frame, &used, &err);
    assert_int_not_equal(status, FRAME_BAD);
    if (status == FRAME_NONE) return false;
    if (frame.request == 0) {
        on_worker_frame(w, &frame);
    } else {
        assert_in_range(frame.request, 1, (uint64_t)w->requests);
        outcome_add(&w->outcomes[frame.request], &frame);
    }
    buf_drop(&w->in, used);
    return true;
}

/* More bytes; false at the end. */
static bool receive(struct worker *w) {
    char *room = buf_reserve(&w->in, 65536);
    assert_non_null(room);
    ssize_t n = recv(w->fd, room, 65536, 0);
    if (n <= 0) w->gone = true;
    if (n > 0) w->in.len += (size_t)n;
    return n > 0;
}

bool worker_pump(struct worker *w) {
    while (!next_frame(w)) {
        struct pollfd p = { .fd = w->fd, .events = POLLIN };
        if (poll(&p, 1, PATIENCE_MS) <= 0) fail_msg("the worker says nothing");
        if (!receive(w)) return false;
    }
    return true;
}

void worker_hold(struct worker *w) {
    int status = 0;
    struct pollfd said = { .fd = w->fd, .events = POLLIN };
    assert_int_equal(kill(w->pid, SIGSTOP), 0);
    assert_int_equal(waitpid(w->pid, &status, WUNTRACED), w->pid);
    assert_true(WIFSTOPPED(status));
    while (poll(&said, 1, 0) == 1) assert_true(receive(w));
    while (next_frame(w)) continue;
}

void worker_let_go(struct worker *w) {
    assert_int_equal(kill(w->pid, SIGCONT), 0);
}

void worker_say_load(struct worker *w, const char *path, const char *options) {
    /* One thread unless the test says more: threads spin when they share a core. */
    const char *threads = strstr(options, "\"threads\"") ? "" : ",\"threads\":1";
    char *load = xasprintf("{\"path\":\"%s\"%s%s%s}", path, threads, *options ? "," : "",
                           options);
    yyjson_doc *doc = yyjson_read(load, strlen(load), 0);
    int64_t limit = yyjson_get_sint(yyjson_obj_get(yyjson_doc_get_root(doc), "memory_bytes"));
    w->limit = limit > 0 ? limit : LIMITLESS;
    yyjson_doc_free(doc);
    worker_send(w, MSG_LOAD, 0, load);
    free(load);
    while (!w->facts) {
        if (!worker_pump(w)) fail_msg("the worker died while it loaded");
    }
}

void worker_park(struct worker *w) {
    w->parked = 0;
    worker_send(w, MSG_PARK, 0, "");
    while (w->parked == 0) assert_true(worker_pump(w));
    yyjson_doc_free(w->facts);
    w->facts = NULL;
}

struct worker *worker_load(const char *path, const char *options) {
    struct worker *w = worker_start();
    worker_say_load(w, path, options);
    if (w->failed) fail_msg("%s", yyjson_get_str(worker_fact(w, "text")));
    return w;
}

int worker_wait(struct worker *w) {
    int status = 0;
    while (worker_pump(w)) continue;
    assert_int_equal(waitpid(w->pid, &status, 0), w->pid);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void worker_stop(struct worker *w, int status) {
    /* It may have gone by itself, unseen: that is for its status to tell. */
    if (!w->gone && !w->failed) (void)try_send(w, MSG_STOP, 0, "");
    assert_int_equal(worker_wait(w), status);
    close(w->fd);
    for (int i = 0; i < WORKER_MAX_REQUESTS; i++) outcome_clear(&w->outcomes[i]);
    yyjson_doc_free(w->facts);
    yyjson_doc_free(w->store);
    buf_clear(&w->in);
    free(w);
}

int worker_ask(struct worker *w, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    char *text = NULL;
    assert_true(vasprintf(&text, fmt, args) >= 0);
    va_end(args);
    assert_true(w->requests + 1 < WORKER_MAX_REQUESTS);
    worker_send(w, MSG_REQUEST, ++w->requests, text);
    free(text);
    return w->requests;
}

struct outcome *worker_end(struct worker *w, int request) {
    struct outcome *o = &w->outcomes[request];
    while (!o->ended) {
        if (!worker_pump(w)) fail_msg("the worker died");
    }
    return o;
}

void worker_until_deltas(struct worker *w, int request, int deltas) {
    const struct outcome *o = &w->outcomes[request];
    while (o->deltas < deltas) {
        if (o->ended) fail_msg("ended after %d deltas", o->deltas);
        if (!worker_pump(w)) fail_msg("the worker died");
    }
}

yyjson_val *worker_fact(const struct worker *w, const char *name) {
    return yyjson_obj_get(yyjson_doc_get_root(w->facts), name);
}
