/* SPDX-License-Identifier: MIT */
/*
 * starter.h - the process that starts preparers: a copy of the worker, forked when it had a
 * model but no context and no decoding threads. It sees nothing that clients send.
 */
#ifndef DOZE_ENGINE_STARTER_H
#define DOZE_ENGINE_STARTER_H

#include <stdatomic.h>
#include <stdint.h>

#include "engine/preparer.h"

/* The worker writes the number of a preparer, one byte, and gets a report when it has been
 * started and another when it has ended. */
enum { STARTER_STARTED = -1, STARTER_WARM = 255 /* instead of a number: do that */ };
struct starter_report {
    int32_t index;
    int32_t status; /* STARTER_STARTED, or of waitpid() */
};

struct starter {
    int control;                    /* its end */
    const int *fds;                 /* the preparers' ends of their sockets */
    int count;                      /* of preparers */
    struct preparer_shared *shared; /* one each, with the worker */
    uint64_t data;                  /* bytes the process has */
    preparer_fn fn;
    preparer_warm_fn warm; /* what all later preparers begin with */
    void *ctx;
};

/* Serve until the worker is gone. The caller has closed all other descriptors of the worker. */
_Noreturn void starter_run(const struct starter *starter);

#endif
