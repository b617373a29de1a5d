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

struct errand;

/* Those under way. Start with a zeroed one. */
struct errands {
    struct errand *first;
};

/* One of the three is set. */
struct errand_result {
    yyjson_val *answer;         /* the payload of the answer, borrowed for the call */
    const struct error *failed; /* what FAILED says */
    const char *gone;           /* it ended without an answer: "exited with status 1" */
};

struct errand_order {
    enum message_type question, answer;
    const void *payload; /* of the question; copied */
    size_t len;
    int64_t patience_ms; /* then it is killed */
    const char *name; /* static: "the worker that measures a model", whose lines are logged */
    void *ctx;        /* from malloc; freed with the errand, also where this fails */
    void (*on_end)(void *ctx, const struct errand_result *result); /* once, unless dropped */
};

/* NULL with ERR_IO if no worker can be started. The result is valid until on_end. */
struct errand *errand_start(struct errands *errands, uv_loop_t *loop,
                            const struct worker_program *program,
                            const struct errand_order *order, struct error *err);

/* Kill its worker, because its answer is not wanted. on_end follows, as for one that is
 * gone. */
void errand_stop(struct errand *errand);

/* How many errands have this question; one that has its answer counts until its process is
 * gone. */
int errands_count(const struct errands *errands, enum message_type question);

/* Private memory of the processes with this question. */
nbytes errands_bytes(const struct errands *errands, enum message_type question);

/* Kill them all, without calls of on_end. */
void errands_drop(struct errands *errands);

#endif
