/* SPDX-License-Identifier: MIT */
#include "engine/repack.h"

#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/memory.h"
#include "engine/engine.h"
#include "engine/reply.h"

/* Left to the rest of the machine; the second vocabulary and context fit in, too. */
#define RESERVE ((uint64_t)256 << 20)

enum { LOW_PRIORITY = 10 };

/* Tensor types that the CPU's kernels have their own order for. */
static bool is_4_bit(const struct llama_model *weights) {
    switch ((int)llama_model_ftype(weights)) {
    case LLAMA_FTYPE_MOSTLY_Q4_0:
    case LLAMA_FTYPE_MOSTLY_Q4_K_S:
    case LLAMA_FTYPE_MOSTLY_Q4_K_M:
    case LLAMA_FTYPE_MOSTLY_IQ4_NL:
        return true;
    default:
        return false;
    }
}

void repack_open(struct engine *engine, struct load_message *request) {
    struct repack *r = &engine->repack;
    bool on_cpu = !llama_supports_gpu_offload() || request->settings.gpu_layers == 0;
    r->wake_fd = -1;
    r->request = *request;
    *request = (struct load_message){ 0 };
    bool wanted = r->request.settings.repack == LOAD_REPACK_BACKGROUND && on_cpu &&
                  !engine->model.embeds && is_4_bit(engine->model.weights);
    r->state = wanted ? REPACK_WAITING : REPACK_NONE;
}

/* ---- the second copy ---- */

static bool goes_on(float progress, void *ctx) {
    const struct repack *r = ctx;
    (void)progress;
    return !atomic_load(&r->unwanted);
}

static void *load_copy(void *arg) {
    struct repack *r = arg;
    struct error err; /* what went wrong concerns nobody: the first copy serves */
    uint64_t one = 1;
    (void)setpriority(PRIO_PROCESS, 0, LOW_PRIORITY); /* of this thread */
    if (!model_open(&r->fresh, &r->request, NULL, goes_on, r, &err))
        r->fresh = (struct model){ 0 };
    if (write(r->wake_fd, &one, sizeof one) < 0) return NULL; /* cannot be: the counter is 0 */
    return NULL;
}

/* Both copies are there for a moment. */
static enum growth_answer may_begin(struct engine *e) {
    uint64_t size = llama_model_size(e->model.weights), granted;
    uint64_t context = (uint64_t)e->context.cells * e->context.cell_bytes;
    const struct growth_wish wish = { GROWTH_REPACK, size + context, size + context, true };
    if (size + context + RESERVE > memory_available()) return GROWTH_REFUSED;
    return growth_ask(e, &wish, &granted);
}

static void begin(struct engine *e) {
    struct repack *r = &e->repack;
    enum growth_answer answer = may_begin(e);
    if (answer == GROWTH_WAITS) return;
    r->state = REPACK_NONE;
    r->refused = answer == GROWTH_REFUSED;
    if (r->refused) return;
    e->growth.reserved = e->growth.base + e->growth.granted;
    r->request.settings.repack = LOAD_REPACK_FIRST;
    r->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (r->wake_fd < 0) {
        e->growth.reserved = 0;
        return;
    }
    if (pthread_create(&r->thread, NULL, load_copy, r) == 0) {
        r->state = REPACK_RUNNING;
        e->link.wake_fd = r->wake_fd;
        return;
    }
    e->growth.reserved = 0;
    close(r->wake_fd);
    r->wake_fd = -1;
}

/* ---- the move ---- */

static bool is_through(const struct repack *r) {
    uint64_t count;
    return read(r->wake_fd, &count, sizeof count) == (ssize_t)sizeof count;
}

static void end_thread(struct engine *e) {
    struct repack *r = &e->repack;
    pthread_join(r->thread, NULL);
    e->link.wake_fd = -1;
    close(r->wake_fd);
    r->wake_fd = -1;
}

static void move(struct engine *e) {
    struct repack *r = &e->repack;
    struct error err;
    end_thread(e);
    e->growth.reserved = 0;
    r->state = REPACK_NONE;
    if (r->fresh.weights && context_replace(&e->context, &r->fresh, e->context.cells, &err)) {
        r->fresh.projector = e->model.projector;
        r->fresh.vision_error = e->model.vision_error;
        r->retired = e->model;
        r->retired.projector = NULL;
        r->retired.vision_error = NULL;
        e->model = r->fresh;
        r->state = REPACK_DONE;
    } else if (r->fresh.weights) {
        model_close(&r->fresh);
    }
    r->fresh = (struct model){ 0 };
    reply_memory(e);
}

/* ---- the first copy goes ---- */

static bool is_used(const struct engine *e, const struct model *model) {
    for (const struct job *job = e->queue.first; job; job = job->next) {
        if (job->vocab == model->vocab) return true;
    }
    for (int i = 0; i < e->context.parallel; i++) {
        const struct job *job = e->slots[i].job;
        if (job && job->vocab == model->vocab) return true;
    }
    return false;
}

/* A projector knows the vocabulary of the copy that it was opened with. */
void repack_step(struct engine *engine) {
    struct repack *r = &engine->repack;
    if (r->state == REPACK_WAITING && engine->served) {
        begin(engine);
        if (r->state != REPACK_WAITING) reply_memory(engine);
    }
    if (r->state == REPACK_RUNNING && is_through(r)) move(engine);
    bool used = is_used(engine, &r->retired) || engine->model.projector;
    if (r->retired.weights && !used) {
        model_close(&r->retired);
        reply_memory(engine);
    }
}

void repack_give_up(struct engine *engine) {
    struct repack *r = &engine->repack;
    if (r->state == REPACK_RUNNING) atomic_store(&r->unwanted, true);
}

void repack_try_again(struct engine *engine) {
    struct repack *r = &engine->repack;
    if (r->refused && r->state == REPACK_NONE) r->state = REPACK_WAITING;
    r->refused = false;
}

bool repack_close(struct engine *engine) {
    struct repack *r = &engine->repack;
    if (r->state == REPACK_RUNNING) {
        atomic_store(&r->unwanted, true);
        if (!is_through(r)) return false;
        end_thread(engine);
    }
    load_message_clear(&r->request);
    return true;
}
