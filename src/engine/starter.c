/* SPDX-License-Identifier: MIT */
#include "engine/starter.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/xalloc.h"

static void on_child(int number) {
    (void)number; /* it has interrupted ppoll() */
}

static void report(const struct starter *s, int32_t index, int32_t status) {
    struct starter_report r = { .index = index, .status = status };
    if (write(s->control, &r, sizeof r) != (ssize_t)sizeof r) _exit(0);
}

/* What the one before has left unread. */
static void drain(int fd) {
    char bytes[65536];
    struct pollfd p = { .fd = fd, .events = POLLIN };
    while (poll(&p, 1, 0) > 0 && (p.revents & POLLIN) && read(fd, bytes, sizeof bytes) > 0)
        continue;
}

static _Noreturn void become(const struct starter *s, int index, pid_t parent,
                             const sigset_t *mask) {
    (void)close(s->control);
    for (int i = 0; i < s->count; i++) {
        if (i != index) (void)close(s->fds[i]);
    }
    (void)signal(SIGCHLD, SIG_DFL);
    (void)sigprocmask(SIG_SETMASK, mask, NULL);
    preparer_run(s->fds[index], &s->shared[index], parent, s->data, s->fn, s->ctx);
}

/* Without memory for it: as if it had died at once. */
static void start(const struct starter *s, pid_t *pids, int index, const sigset_t *mask) {
    pid_t parent = getpid();
    drain(s->fds[index]);
    atomic_store(&s->shared[index].unwanted, false);
    pid_t pid = fork();
    if (pid == 0) become(s, index, parent, mask);
    pids[index] = pid;
    report(s, index, pid > 0 ? STARTER_STARTED : SIGKILL);
}

static void reap(const struct starter *s, pid_t *pids) {
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        for (int i = 0; i < s->count; i++) {
            if (pids[i] != pid) continue;
            pids[i] = 0;
            report(s, i, status);
        }
    }
}

/* The worker is gone, or waits for the end of all of this. Idle preparers notice it
 * themselves. */
static _Noreturn void end(const struct starter *s) {
    for (int i = 0; i < s->count; i++) atomic_store(&s->shared[i].unwanted, true);
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR) continue;
    _exit(0);
}

_Noreturn void starter_run(const struct starter *s) {
    sigset_t child, before;
    struct sigaction action = { .sa_handler = on_child };
    struct pollfd p = { .fd = s->control, .events = POLLIN };
    pid_t *pids = xcalloc((size_t)s->count, sizeof *pids);
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    (void)sigaction(SIGCHLD, &action, NULL);
    (void)sigprocmask(SIG_BLOCK, &child, &before);
    for (;;) {
        unsigned char index;
        int ready = ppoll(&p, 1, NULL, &before);
        reap(s, pids);
        if (ready <= 0) continue;
        if (read(s->control, &index, 1) != 1) end(s);
        if (index == STARTER_WARM) s->warm(s->ctx);
        if (index < s->count && pids[index] == 0) start(s, pids, index, &before);
    }
}
