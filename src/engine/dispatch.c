/* SPDX-License-Identifier: MIT */
#include "engine/dispatch.h"

#include "base/clock.h"
#include "engine/limit.h"
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

/* NULL: it is not there. */
static struct job *take_from(struct job_queue *queue, uint64_t request) {
    struct job **at = job_queue_find(queue, request);
    return *at ? job_queue_take(queue, at) : NULL;
}

static void take_cancel(struct engine *e, const struct frame *f) {
    struct slot *slot = slots_find(e, f->request);
    if (slot) {
        slot_finish(e, slot, STOP_USER);
        return;
    }
    struct job *job = take_from(&e->queue, f->request);
    if (!job) job = take_from(&e->aside, f->request);
    if (!job) job = preparation_take(e, f->request);
    if (!job) return;
    reply_done(&e->link, job, STOP_USER);
    job_free(job);
}

static struct job *find_job(struct engine *e, uint64_t request) {
    struct slot *slot = slots_find(e, request);
    struct job *job = slot ? slot->job : *job_queue_find(&e->queue, request);
    return job ? job : preparation_find(e, request);
}

static void take_pause(struct engine *e, uint64_t request) {
    struct job *job = find_job(e, request);
    if (job && !job->paused_since) job->paused_since = clock_boottime_usec();
}

/* An answer that was put aside waits for a slot, ahead of those that came later. */
static void take_resume(struct engine *e, uint64_t request) {
    struct job *aside = take_from(&e->aside, request);
    if (aside) job_queue_insert(&e->queue, aside);
    struct job *job = aside ? aside : find_job(e, request);
    if (job) job->paused_since = 0;
}

static void take_grant(struct engine *e, const struct frame *f) {
    struct grant_message grant;
    struct error err;
    if (!grant_message_parse(&grant, f->payload, f->len, &err)) return;
    if (grant.ask == 0)
        limit_obey(e, (uint64_t)grant.bytes);
    else
        growth_take_answer(e, &grant);
}

enum engine_order dispatch_frame(struct engine *engine, const struct frame *frame) {
    switch (frame->type) {
    case MSG_STOP:
        return ENGINE_STOP;
    case MSG_PARK:
        return ENGINE_PARK;
    case MSG_REQUEST:
        take_request(engine, frame);
        break;
    case MSG_CANCEL:
        take_cancel(engine, frame);
        break;
    case MSG_PAUSE:
        take_pause(engine, frame->request);
        break;
    case MSG_RESUME:
        take_resume(engine, frame->request);
        break;
    case MSG_GRANT:
        take_grant(engine, frame);
        break;
    case MSG_FORGET:
        prompt_cache_forget(engine);
        drafter_forget(&engine->drafter);
        break;
    default:
        break; /* from a newer daemon; the version in HELLO is its concern */
    }
    return ENGINE_GO_ON;
}
