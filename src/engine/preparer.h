/* SPDX-License-Identifier: MIT */
/*
 * preparer.h - a process that prepares requests, from the inside: its limits, and its end of
 * the socket.
 *
 * While it works the kernel watches it: SIGVTALRM ends it at its deadline, and memory beyond
 * its limit is refused. Only its own computing counts towards the deadline, so that no request
 * fails because the machine is busy; SIGALRM ends one that makes no progress. After a tenth of
 * a second of computing it yields to the decoding threads, and from then on checks whether its
 * work is still wanted.
 */
#ifndef DOZE_ENGINE_PREPARER_H
#define DOZE_ENGINE_PREPARER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "ipc/frame.h"

/* Bytes that a preparer may allocate beyond what it starts with. */
enum { PREPARER_MEMORY = 1 << 30 };
/* Bytes of its stack, which grows as it is used: references of a schema may form a long
 * chain. */
enum { PREPARER_STACK = 64 << 20 };

/* How many times its deadline may pass in real time: on a busy machine a preparer of low
 * priority computes little. */
enum { PREPARER_PATIENCE = 60 };

/* What a worker and a preparer tell each other without a message. */
enum { PREPARER_TICK_MS = 100 };
struct preparer_shared {
    atomic_bool unwanted;
    atomic_int ticks; /* of PREPARER_TICK_MS that it has computed for the work at hand */
};

struct preparer_self {
    int fd;
    struct buf in;
    size_t in_used;
};

/* What a preparer does: take frames and answer them. */
typedef void (*preparer_fn)(void *ctx, struct preparer_self *self);
/* Make what preparers need and share, before they are started. */
typedef void (*preparer_warm_fn)(void *ctx);

/* Bytes of this process's data, which the limit of memory counts. */
uint64_t preparer_data_bytes(void);

/* Become a preparer at this end of the socket, call fn until the other end is closed, and exit.
 * data: bytes that the process has now. */
_Noreturn void preparer_run(int fd, struct preparer_shared *shared, pid_t parent, uint64_t data,
                            preparer_fn fn, void *ctx);

/* The same limits for a process that is not a preparer: bound its memory and its stack, and
 * end it when it has computed for `seconds`, or after PREPARER_PATIENCE times as long. */
void preparer_limit(double seconds);

/* The next frame, which is borrowed until the next call. False: the worker is gone. */
bool preparer_read(struct preparer_self *self, struct frame *ret);
/* last: the process will end now and take no more work. Ends it at once if the worker is gone.
 */
void preparer_write(struct preparer_self *self, int type, bool last, const void *payload,
                    size_t len);

/* Begin work that may compute for `ms` milliseconds. */
void preparer_work_begins(int64_t ms);
/* End the work. False: it took so long that the priority stays low; use a new process for the
 * next. */
bool preparer_work_ended(void);

#endif
