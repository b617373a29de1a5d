/* SPDX-License-Identifier: MIT */
#include "engine/dispatch.h"

#include "engine/preparation.h"
#include "engine/prompt_cache.h"
#include "engine/reply.h"

static void take_request(struct engine *e, const struct frame *f) {
    struct request request;
    struct error err;
    if (!request_parse(&request, f->payload, f->len, &e->model.sampling, e->model.vocab_size,
                       &err)) {
        reply_error(&e->link, f->request, &err);
        return;
    }
    preparation_add(e, job_new(f->request, &request), f->payload, f->len);
}

static void take_cancel(struct engine *e, const struct frame *f) {
    struct slot *slot = slots_find(e, f->request);
    if (slot) {
        slot_finish(e, slot, STOP_USER);
        return;
    }
    struct job **at = job_queue_find(&e->queue, f->request);
    struct job *job = *at ? job_queue_take(&e->queue, at) : preparation_take(e, f->request);
    if (!job) return;
    reply_done(&e->link, job, STOP_USER);
    job_free(job);
}

static void set_paused(struct engine *e, uint64_t request, bool paused) {
    struct slot *slot = slots_find(e, request);
    struct job *job = slot ? slot->job : *job_queue_find(&e->queue, request);
    if (!job) job = preparation_find(e, request);
    if (job) job->paused = paused;
}

bool dispatch_frame(struct engine *engine, const struct frame *frame) {
    switch (frame->type) {
    case MSG_STOP:
        return false;
    case MSG_REQUEST:
        take_request(engine, frame);
        break;
    case MSG_CANCEL:
        take_cancel(engine, frame);
        break;
    case MSG_PAUSE:
        set_paused(engine, frame->request, true);
        break;
    case MSG_RESUME:
        set_paused(engine, frame->request, false);
        break;
    case MSG_FORGET:
        prompt_cache_forget(engine);
        break;
    default:
        break; /* from a newer daemon; the version in HELLO is its concern */
    }
    return true;
}
