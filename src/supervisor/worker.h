/* SPDX-License-Identifier: MIT */
/*
 * worker.h - one doze-engine process: started by fork + exec with its socket, a pipe for what
 * it prints and a short environment (worker_environment.h), and nothing else of the daemon's.
 * It exchanges frames with the daemon and is gone once its socket is closed AND its exit status
 * was seen.
 *
 * What it sends is not trusted: a malformed frame kills the worker, never the daemon.
 */
#ifndef DOZE_SUPERVISOR_WORKER_H
#define DOZE_SUPERVISOR_WORKER_H

#include <stdint.h>
#include <uv.h>

#include "base/byte_budget.h"
#include "base/error.h"
#include "ipc/frame.h"
#include "ipc/message.h"
#include "supervisor/worker_program.h"

enum { WORKER_LINE_MAX = 1000 };

struct worker;

struct worker_owner {
    /* A frame arrived; borrowed for the call. */
    void (*on_frame)(void *ctx, struct worker *worker, const struct frame *frame);
    /* The process is gone and its memory free. `how` is a phrase: "exited with status 1",
     * "was killed by signal 9 (Killed)". The worker is freed after the call. */
    void (*on_gone)(void *ctx, struct worker *worker, const char *how);
    /* It printed a line: one line of text that cannot control a terminal, cut after
     * WORKER_LINE_MAX bytes; borrowed for the call. As many as it likes. */
    void (*on_line)(void *ctx, struct worker *worker, const char *line);
    void *ctx;
};

/* Start the program. NULL with ERR_IO if that fails. slot and generation are stored for the
 * owner. */
struct worker *worker_spawn(uv_loop_t *loop, const struct worker_program *program, int slot,
                            uint32_t generation, const struct worker_owner *owner,
                            struct error *err);

/* The same without a slot, and with this socket as LENT_FD (ipc/message.h); the caller keeps
 * fd. */
struct worker *worker_spawn_lent(uv_loop_t *loop, const struct worker_program *program, int fd,
                                 const struct worker_owner *owner, struct error *err);

/* Change its owner. */
void worker_adopt(struct worker *worker, int slot, uint32_t generation,
                  const struct worker_owner *owner);

int worker_slot(const struct worker *worker);
uint32_t worker_generation(const struct worker *worker);
int worker_pid(const struct worker *worker);

/* Bytes that are sent: owned, and counted until the socket has them. */
struct worker_payload {
    char *bytes;
    size_t len;
    struct byte_hold held;
};

/* Queue one frame; takes the payload. Does nothing else once the socket is closed. */
void worker_send_payload(struct worker *worker, enum message_type type, uint64_t request,
                         struct worker_payload *payload);
/* The same; copies. Does nothing once the socket is closed. */
void worker_send(struct worker *worker, enum message_type type, uint64_t request,
                 const void *payload, size_t len);

void worker_kill(struct worker *worker);

/* Resident memory that belongs to the process alone, bytes; 0 if unknown. */
uint64_t worker_private_bytes(const struct worker *worker);

#endif
