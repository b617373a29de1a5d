/* SPDX-License-Identifier: MIT */
#include "engine/preparers.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/starter.h"

enum { READ_CHUNK = 65536 };

/* ---- begin ---- */

static bool pair(int ret[2], struct error *err) {
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ret) != 0)
        return error_set(err, ERR_LOAD_FAILED, "No socket can be made: %s.", strerror(errno));
    int flags = fcntl(ret[0], F_GETFL);
    (void)fcntl(ret[0], F_SETFL, flags | O_NONBLOCK);
    return true;
}

/* PREPARERS_MAX of them, shared with the processes to come; NULL: there is no memory. */
static struct preparer_shared *shared_pages(void) {
    const size_t size = PREPARERS_MAX * sizeof(struct preparer_shared);
    const int kind = MAP_SHARED | MAP_ANONYMOUS;
    /* cppcheck-suppress invalidFunctionArg ; -1 belongs to MAP_ANONYMOUS */
    void *place = mmap(NULL, size, PROT_READ | PROT_WRITE, kind, -1, 0);
    if (place == MAP_FAILED) return NULL;
    return place;
}

bool preparers_open(struct preparers *p, int count, struct error *err) {
    int ends[2];
    if (!pair(ends, err)) return false;
    *p = (struct preparers){ .control = ends[0], .starter = ends[1] };
    struct preparer_shared *shared = shared_pages();
    if (!shared) return error_set(err, ERR_NO_MEMORY, "There is no memory.");
    for (; p->count < count; p->count++) {
        struct preparer *one = &p->all[p->count];
        if (!pair(ends, err)) return false;
        *one = (struct preparer){ .fd = ends[0], .shared = &shared[p->count] };
        p->fds[p->count] = ends[1];
        buf_init(&one->in, (size_t)FRAME_MAX_TO_WORKER + FRAME_HEADER_SIZE + READ_CHUNK);
        buf_init(&one->out, (size_t)2 * FRAME_MAX_TO_WORKER);
    }
    (void)signal(SIGPIPE, SIG_IGN); /* of one that has died; the starter reports it */
    return true;
}

static _Noreturn void become_starter(const struct preparers *p, int worker_fd, uint64_t data,
                                     preparer_fn fn, preparer_warm_fn warm, void *ctx) {
    (void)close(worker_fd);
    (void)close(p->control);
    for (int i = 0; i < p->count; i++) (void)close(p->all[i].fd);
    const struct starter starter = { .control = p->starter,
                                     .fds = p->fds,
                                     .count = p->count,
                                     .shared = p->all[0].shared,
                                     .data = data,
                                     .fn = fn,
                                     .warm = warm,
                                     .ctx = ctx };
    starter_run(&starter);
}

static void ask_for(struct preparers *p, struct preparer *one) {
    unsigned char index = (unsigned char)(one - p->all);
    one->state = PREPARER_STARTING;
    (void)!write(p->control, &index, 1);
}

bool preparers_start(struct preparers *p, int worker_fd, preparer_fn fn, preparer_warm_fn warm,
                     void *ctx, struct error *err) {
    uint64_t data = preparer_data_bytes();
    pid_t pid = fork();
    if (pid < 0) {
        return error_set(err, ERR_LOAD_FAILED, "The worker cannot start a process: %s.",
                         strerror(errno));
    }
    if (pid == 0) become_starter(p, worker_fd, data, fn, warm, ctx);
    p->pid = pid;
    (void)close(p->starter);
    for (int i = 0; i < p->count; i++) (void)close(p->fds[i]);
    ask_for(p, &p->all[0]);
    return true;
}

void preparers_end(struct preparers *p) {
    if (p->pid == 0) return;
    (void)close(p->control);
    for (int i = 0; i < p->count; i++) {
        (void)close(p->all[i].fd);
        buf_clear(&p->all[i].in);
        buf_clear(&p->all[i].out);
    }
    while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR) continue;
    p->pid = 0;
}

/* ---- one of them ---- */

static void flush(struct preparer *one) {
    if (one->state != PREPARER_ALIVE) return;
    size_t sent = 0;
    while (sent < one->out.len) {
        ssize_t n = write(one->fd, one->out.data + sent, one->out.len - sent);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break; /* full, or it has died */
        sent += (size_t)n;
    }
    buf_drop_shrink(&one->out, sent, 2 * READ_CHUNK);
}

static void forget_given(struct preparer *one) {
    buf_drop_shrink(&one->in, one->in_used, 2 * READ_CHUNK);
    one->in_used = 0;
}

static void read_all(struct preparer *one) {
    for (;;) {
        char *room = buf_reserve(&one->in, READ_CHUNK);
        if (!room) return;
        ssize_t n = read(one->fd, room, READ_CHUNK);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return;
        one->in.len += (size_t)n;
    }
}

static enum frame_status next(const struct preparer *one, struct frame *ret, size_t *ret_used) {
    struct error err;
    return frame_parse(buf_str(&one->in) + one->in_used, one->in.len - one->in_used,
                       FRAME_MAX_TO_WORKER, ret, ret_used, &err);
}

/* An answer to somebody who has gone. */
static void drop_answer(struct preparer *one) {
    struct frame frame;
    if (!one->taken && preparer_answer(one, &frame))
        atomic_store(&one->shared->unwanted, false);
    if (!one->taken && one->state == PREPARER_NONE) one->busy = false;
}

struct preparer *preparers_take(struct preparers *p) {
    struct preparer *none = NULL;
    for (int i = 0; i < p->count; i++) {
        struct preparer *one = &p->all[i];
        if (one->taken || one->busy || one->ending) continue;
        one->taken = one->state != PREPARER_NONE;
        if (one->taken) return one;
        if (!none) none = one;
    }
    if (!none) return NULL;
    none->taken = true;
    ask_for(p, none);
    return none;
}

void preparer_give_back(struct preparer *one) {
    one->taken = false;
    forget_given(one);
    drop_answer(one);
    if (one->busy) atomic_store(&one->shared->unwanted, true);
}

void preparers_warm(struct preparers *p) {
    const unsigned char order = STARTER_WARM;
    if (p->warm || p->count == 0) return;
    p->warm = true;
    (void)!write(p->control, &order, 1);
    for (int i = 0; i < p->count; i++) {
        struct preparer *one = &p->all[i];
        if (one->taken || one->busy || one->ending || one->state == PREPARER_NONE) continue;
        preparer_send(one, PREPARER_END, false, NULL, 0);
        one->ending = true;
    }
}

void preparer_send(struct preparer *one, int type, bool answered, const void *payload,
                   size_t len) {
    if (answered) one->busy = true;
    if (one->state == PREPARER_NONE) return;
    (void)frame_format(&one->out, (uint16_t)type, 0, payload, len);
    flush(one);
}

bool preparer_answer(struct preparer *one, struct frame *ret) {
    size_t used = 0;
    forget_given(one);
    if (!one->busy || next(one, ret, &used) != FRAME_ONE) return false;
    one->in_used = used;
    one->busy = false;
    one->ending = ret->request != 0 && one->state == PREPARER_ALIVE;
    return true;
}

bool preparer_is_lost(const struct preparer *one) {
    struct frame frame;
    size_t used = 0;
    if (!one->busy) return false;
    enum frame_status status = next(one, &frame, &used);
    return status == FRAME_BAD || (status == FRAME_NONE && one->state == PREPARER_NONE);
}

int preparer_computed_ms(const struct preparer *one) {
    return atomic_load(&one->shared->ticks) * PREPARER_TICK_MS;
}

void preparer_wait(struct preparer *one, int timeout_ms) {
    struct pollfd p = { .fd = one->fd, .events = POLLIN };
    if (one->state == PREPARER_ALIVE && poll(&p, 1, timeout_ms) > 0) read_all(one);
}

/* ---- all of them ---- */

static void take_report(struct preparers *p, const struct starter_report *report) {
    struct preparer *one = &p->all[report->index];
    if (report->status == STARTER_STARTED) {
        one->state = PREPARER_ALIVE;
        return;
    }
    read_all(one);
    buf_clear(&one->out);
    one->state = PREPARER_NONE;
    one->status = report->status;
    one->ending = false;
    if (!one->taken) buf_clear(&one->in);
    if (!one->taken) one->in_used = 0;
}

static bool expects_news(const struct preparers *p) {
    for (int i = 0; i < p->count; i++) {
        const struct preparer *one = &p->all[i];
        if (one->taken || one->busy || one->state == PREPARER_STARTING) return true;
    }
    return false;
}

bool preparers_look(struct preparers *p, bool waited) {
    struct starter_report report;
    if (p->count == 0 || !(waited || expects_news(p))) return true;
    ssize_t n;
    while ((n = read(p->control, &report, sizeof report)) == (ssize_t)sizeof report)
        take_report(p, &report);
    if (n == 0) return false;
    for (int i = 0; i < p->count; i++) {
        struct preparer *one = &p->all[i];
        if (one->state == PREPARER_ALIVE && one->out.len > 0) flush(one);
        if (one->state == PREPARER_ALIVE && one->busy) read_all(one);
        drop_answer(one);
    }
    return true;
}

size_t preparers_polls(const struct preparers *p, struct pollfd *ret) {
    size_t count = 0;
    if (p->count == 0) return 0;
    ret[count++] = (struct pollfd){ .fd = p->control, .events = POLLIN };
    for (int i = 0; i < p->count; i++) {
        const struct preparer *one = &p->all[i];
        short events = (short)((one->busy ? POLLIN : 0) | (one->out.len > 0 ? POLLOUT : 0));
        if (one->state == PREPARER_ALIVE && events)
            ret[count++] = (struct pollfd){ .fd = one->fd, .events = events };
    }
    return count;
}
