/* SPDX-License-Identifier: MIT */
/*
 * oneshot.h - a worker that answers one question and exits: what a load would take, whether a
 * request's rules can be used. It has no slot in the lifecycle.
 */
#ifndef DOZE_SUPERVISOR_ONESHOT_H
#define DOZE_SUPERVISOR_ONESHOT_H

#include <uv.h>
#include <yyjson.h>

#include "ipc/message.h"
#include "supervisor/worker.h"

struct oneshot;

/* Those under way. Valid when zeroed. */
struct oneshots {
    struct oneshot *first;
};

/* One of the three is set. */
struct oneshot_result {
    yyjson_val *answer;         /* the payload of the answer, borrowed for the call */
    const struct error *failed; /* what FAILED says */
    const char *gone;           /* it ended without an answer: "exited with status 1" */
};

struct oneshot_order {
    enum message_type question, answer;
    const void *payload; /* of the question; copied */
    size_t len;
    int64_t patience_ms; /* then it is killed */
    const char *name; /* static: "the worker that measures a model", whose lines are logged */
    void *ctx;        /* from malloc; freed with the oneshot, also where this fails */
    void (*on_end)(void *ctx, const struct oneshot_result *result); /* once, unless dropped */
};

/* NULL with ERR_IO if no worker can be started. The result is valid until on_end. */
struct oneshot *oneshot_start(struct oneshots *oneshots, uv_loop_t *loop,
                              const struct worker_program *program,
                              const struct oneshot_order *order, struct error *err);

/* Kill its worker, because its answer is not wanted. on_end follows, as for one that is
 * gone. */
void oneshot_stop(struct oneshot *oneshot);

/* How many have this question; one that has answered counts until its process is gone. */
int oneshots_count(const struct oneshots *oneshots, enum message_type question);

/* Private memory of the processes that have not answered this question yet. */
nbytes oneshots_bytes(const struct oneshots *oneshots, enum message_type question);

/* Kill them all, without calls of on_end. */
void oneshots_drop(struct oneshots *oneshots);

#endif
