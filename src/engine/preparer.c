/* SPDX-License-Identifier: MIT */
#include "engine/preparer.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/proc_file.h"
#include "engine/sandbox.h"

enum { READ_CHUNK = 65536, LOW_PRIORITY = 10 };

/* For the signal's handler. */
static struct {
    struct preparer_shared *shared;
    pid_t parent;
    volatile sig_atomic_t low; /* the priority, for good: only root could raise it again */
} watch;

/* The process has computed for another tick. */
static void on_tick(int number) {
    (void)number;
    int saved = errno;
    atomic_fetch_add(&watch.shared->ticks, 1);
    if (atomic_load(&watch.shared->unwanted) || getppid() != watch.parent) _exit(0);
    if (!watch.low) (void)setpriority(PRIO_PROCESS, 0, LOW_PRIORITY);
    watch.low = 1;
    errno = saved;
}

/* A sanitizer's own memory counts as data, so its build goes without the limit. */
static void limit_memory(uint64_t data) {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    struct rlimit limit = { data + PREPARER_MEMORY, data + PREPARER_MEMORY };
    struct rlimit stack = { PREPARER_STACK, PREPARER_STACK };
    if (data > 0) (void)setrlimit(RLIMIT_DATA, &limit);
    (void)setrlimit(RLIMIT_STACK, &stack);
#else
    (void)data;
#endif
}

/* Bytes that count for RLIMIT_DATA; 0: the kernel does not say. */
uint64_t preparer_data_bytes(void) {
    char text[4096];
    nbytes bytes = 0;
    bool known = proc_file_read("/proc/self/status", text, sizeof text) &&
                 memory_parse(text, "VmData", &bytes);
    return known ? bytes : 0;
}

static void set_signals(void) {
    struct sigaction tick = { .sa_handler = on_tick, .sa_flags = SA_RESTART };
    (void)sigaction(SIGPROF, &tick, NULL);
    (void)signal(SIGVTALRM, SIG_DFL);
    (void)signal(SIGALRM, SIG_DFL);
    (void)signal(SIGPIPE, SIG_DFL);
}

_Noreturn void preparer_run(int fd, struct preparer_shared *shared, pid_t parent, uint64_t data,
                            preparer_fn fn, void *ctx) {
    struct sandbox sandbox;
    struct sandbox_rights nothing = { 0 };
    struct preparer_self self = { .fd = fd };
    watch.shared = shared;
    watch.parent = parent;
    set_signals();
    limit_memory(data);
    sandbox_enter(&sandbox, SANDBOX_PREPARING, &nothing);
    buf_init(&self.in, (size_t)FRAME_MAX_TO_WORKER + FRAME_HEADER_SIZE + READ_CHUNK);
    fn(ctx, &self);
    _exit(0);
}

/* One read that waits. */
static bool read_some(struct preparer_self *self) {
    char *room = buf_reserve(&self->in, READ_CHUNK);
    if (!room) return false;
    ssize_t n = read(self->fd, room, READ_CHUNK);
    if (n > 0) self->in.len += (size_t)n;
    return n > 0 || (n < 0 && errno == EINTR);
}

bool preparer_read(struct preparer_self *self, struct frame *ret) {
    struct error err;
    buf_drop_shrink(&self->in, self->in_used, 4 * READ_CHUNK);
    self->in_used = 0;
    for (;;) {
        enum frame_status status = frame_parse(buf_str(&self->in), self->in.len,
                                               FRAME_MAX_TO_WORKER, ret, &self->in_used, &err);
        if (status == FRAME_ONE) return true;
        if (status == FRAME_BAD || !read_some(self)) return false;
    }
}

void preparer_write(struct preparer_self *self, int type, bool last, const void *payload,
                    size_t len) {
    struct buf out = BUF_INIT(FRAME_HEADER_SIZE + len);
    (void)frame_format(&out, (uint16_t)type, last, payload, len);
    for (size_t sent = 0; sent < out.len;) {
        ssize_t n = write(self->fd, out.data + sent, out.len - sent);
        if (n < 0 && errno != EINTR) _exit(0);
        if (n > 0) sent += (size_t)n;
    }
    buf_clear(&out);
}

/* 0: never. */
static void set_timer(__itimer_which_t which, int64_t ms, int64_t again_ms) {
    const struct itimerval timer = { { again_ms / 1000, again_ms % 1000 * 1000 },
                                     { ms / 1000, ms % 1000 * 1000 } };
    (void)setitimer(which, &timer, NULL);
}

static void set_timers(int64_t deadline_ms, int64_t tick_ms) {
    set_timer(ITIMER_VIRTUAL, deadline_ms, 0);
    set_timer(ITIMER_REAL, deadline_ms * PREPARER_PATIENCE, 0);
    set_timer(ITIMER_PROF, tick_ms, tick_ms);
    atomic_store(&watch.shared->ticks, 0);
}

void preparer_limit(double seconds) {
    int64_t ms = (int64_t)(seconds * 1000);
    (void)signal(SIGVTALRM, SIG_DFL);
    (void)signal(SIGALRM, SIG_DFL);
    limit_memory(preparer_data_bytes());
    set_timer(ITIMER_VIRTUAL, ms, 0);
    set_timer(ITIMER_REAL, ms * PREPARER_PATIENCE, 0);
}

void preparer_work_begins(int64_t ms) {
    set_timers(ms, PREPARER_TICK_MS);
}

bool preparer_work_ended(void) {
    set_timers(0, 0);
    return !watch.low;
}
