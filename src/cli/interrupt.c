/* SPDX-License-Identifier: MIT */
#include "cli/interrupt.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

static sigset_t only_sigint(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    return set;
}

int interrupt_open(void) {
    sigset_t set = only_sigint();
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd >= 0) sigprocmask(SIG_BLOCK, &set, NULL);
    return fd;
}

void interrupt_close(int fd) {
    sigset_t set = only_sigint();
    if (fd < 0) return;
    close(fd);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

void interrupt_drain(int fd) {
    struct signalfd_siginfo info;
    while (read(fd, &info, sizeof info) > 0) continue;
}
