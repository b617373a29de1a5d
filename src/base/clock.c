/* SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include <time.h>

static int64_t read_usec(clockid_t id) {
    struct timespec ts;
    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

msec clock_boottime(void) {
    return read_usec(CLOCK_BOOTTIME) / 1000;
}

int64_t clock_boottime_usec(void) {
    return read_usec(CLOCK_BOOTTIME);
}

int64_t clock_monotonic_usec(void) {
    return read_usec(CLOCK_MONOTONIC);
}

msec clock_unix(void) {
    return read_usec(CLOCK_REALTIME) / 1000;
}

msec clock_msec(struct timespec at) {
    return (msec)at.tv_sec * 1000 + at.tv_nsec / 1000000;
}
