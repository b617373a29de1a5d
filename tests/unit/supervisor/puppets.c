/* SPDX-License-Identifier: MIT */
#include "puppets.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

enum { PUPPETS_MAX = 64, TYPES_MAX = 64 };

struct heard {
    char *payload; /* NULL: none of this type yet */
    uint64_t request;
};

struct worker {
    struct worker_owner owner;
    int slot, number;
    uint32_t generation;
    bool killed;
    struct heard heard[TYPES_MAX];
};

static struct worker *puppets[PUPPETS_MAX];
static int count;
static bool works = true;
static uint64_t taken;

void puppets_take(uint64_t bytes) {
    taken = bytes;
}

void puppets_start(bool start) {
    works = start;
}

int puppet_count(void) {
    return count;
}

struct worker *puppet(int n) {
    return puppets[n];
}

const char *puppet_heard(const struct worker *worker, enum message_type type) {
    return worker->heard[type].payload;
}

uint64_t puppet_heard_request(const struct worker *worker, enum message_type type) {
    return worker->heard[type].request;
}

bool puppet_was_killed(const struct worker *worker) {
    return worker->killed;
}

void puppet_say(struct worker *worker, enum message_type type, uint64_t request,
                const char *payload) {
    struct frame frame = {
        .type = (uint16_t)type, .request = request, .payload = payload, .len = strlen(payload)
    };
    worker->owner.on_frame(worker->owner.ctx, worker, &frame);
}

void puppet_die(struct worker *worker) {
    puppet_die_of(worker, "was killed by signal 9 (Killed)");
}

void puppet_die_of(struct worker *worker, const char *how) {
    puppets[worker->number] = NULL;
    worker->owner.on_gone(worker->owner.ctx, worker, how);
    for (int i = 0; i < TYPES_MAX; i++) free(worker->heard[i].payload);
    free(worker);
}

void puppets_clear(void) {
    for (int i = 0; i < count; i++) {
        if (puppets[i]) puppet_die(puppets[i]);
    }
    count = 0;
    works = true;
    taken = 0;
}

/* ---- daemon/worker.h ---- */

struct worker *worker_spawn(uv_loop_t *loop, const struct worker_program *program, int slot,
                            uint32_t generation, const struct worker_owner *owner,
                            struct error *err) {
    (void)loop;
    (void)program;
    if (!works) {
        error_set(err, ERR_IO, "No process can be started.");
        return NULL;
    }
    assert(count < PUPPETS_MAX);
    struct worker *worker = xcalloc(1, sizeof *worker);
    *worker = (struct worker){
        .owner = *owner, .slot = slot, .number = count, .generation = generation
    };
    puppets[count++] = worker;
    return worker;
}

struct worker *worker_spawn_lent(uv_loop_t *loop, const struct worker_program *program, int fd,
                                 const struct worker_owner *owner, struct error *err) {
    (void)fd;
    return worker_spawn(loop, program, -1, 0, owner, err);
}

void worker_adopt(struct worker *worker, int slot, uint32_t generation,
                  const struct worker_owner *owner) {
    worker->slot = slot;
    worker->generation = generation;
    worker->owner = *owner;
}

int worker_slot(const struct worker *worker) {
    return worker->slot;
}

uint32_t worker_generation(const struct worker *worker) {
    return worker->generation;
}

int worker_pid(const struct worker *worker) {
    return 1000 + worker->number;
}

void worker_send(struct worker *worker, enum message_type type, uint64_t request,
                 const void *payload, size_t len) {
    struct heard *heard = &worker->heard[type];
    free(heard->payload);
    heard->payload = xcalloc(1, len + 1);
    if (len > 0) memcpy(heard->payload, payload, len);
    heard->request = request;
}

void worker_send_payload(struct worker *worker, enum message_type type, uint64_t request,
                         struct worker_payload *payload) {
    worker_send(worker, type, request, payload->bytes, payload->len);
    byte_hold_release(&payload->held);
    free(payload->bytes);
}

void worker_kill(struct worker *worker) {
    worker->killed = true;
}

uint64_t worker_private_bytes(const struct worker *worker) {
    (void)worker;
    return taken;
}
