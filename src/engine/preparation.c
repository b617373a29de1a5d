/* SPDX-License-Identifier: MIT */
#include "engine/preparation.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "engine/engine.h"
#include "engine/prepared.h"
#include "engine/reply.h"

/* Ordinary requests take a few milliseconds. */
enum { QUICK_MS = 250, QUICK_MAX = 2, LOOK_MS = 50 };

/* The kernel ends a preparer at its deadline; one that is still there was taken over or hangs
 * in the kernel. */
enum { LATE_USEC = 2000000 };

bool preparation_begin(struct engine *e, const struct load_settings *settings,
                       struct error *err) {
    struct preparation *p = &e->preparation;
    double seconds = load_settings_prepare_seconds(settings);
    job_queue_init(&p->waiting);
    p->rules = (struct prepare_rules){ .model = &e->model,
                                       .limit_ms = (int64_t)(seconds * 1000) };
    return preparers_start(&e->preparers, e->link.fd, prepare_serve, prepare_warm, &p->rules,
                           err);
}

static void leave(struct preparing *now) {
    preparer_give_back(now->preparer);
    *now = (struct preparing){ 0 };
}

void preparation_clear(struct engine *e) {
    struct preparation *p = &e->preparation;
    while (p->waiting.first) job_free(job_queue_take(&p->waiting, &p->waiting.first));
    for (int i = 0; i < PREPARING_MAX; i++) {
        if (p->now[i].job) job_free(p->now[i].job);
    }
}

void preparation_add(struct engine *e, struct job *job, const char *body, size_t len) {
    uint32_t length = (uint32_t)e->context.length;
    buf_init(&job->body, len + sizeof length);
    (void)buf_add(&job->body, &length, sizeof length);
    (void)buf_add(&job->body, body, len);
    job_queue_add(&e->preparation.waiting, job);
    preparation_step(e);
}

/* ---- the end of one ---- */

static void fail(struct engine *e, struct preparing *now, const struct error *err) {
    reply_error(&e->link, now->job->id, err);
    job_free(now->job);
    leave(now);
}

static void log_notes(struct engine *e, const struct job *job) {
    yyjson_val *notes = yyjson_obj_get(yyjson_doc_get_root(job->plan), "notes"), *note;
    size_t i, count;
    yyjson_arr_foreach(notes, i, count, note) {
        if (yyjson_is_str(note))
            link_send_warning(&e->link, yyjson_get_str(note), yyjson_get_len(note));
    }
}

static void take_prepared(struct engine *e, struct job *job, const struct frame *f) {
    struct error err;
    if (job_take_prepared(job, &e->model, (size_t)e->context.length, &e->link, f, &err)) {
        log_notes(e, job);
        job_queue_insert(&e->queue, job);
        return;
    }
    reply_error(&e->link, job->id, &err);
    job_free(job);
}

static void take_answer(struct engine *e, struct preparing *now, const struct frame *f) {
    struct job *job = now->job;
    bool prepared = f->type == PREPARE_PREPARED && job->request.op <= REQUEST_RERANK;
    if (prepared) {
        take_prepared(e, job, f);
    } else {
        bool refused = f->type != PREPARE_RESULT;
        link_send(&e->link, refused ? MSG_ERROR : MSG_DONE, job->id, f->payload, f->len);
        job_free(job);
    }
    leave(now);
}

void preparation_explain(const struct preparer *preparer, const char *what, int64_t limit_ms,
                         struct error *err) {
    int status = preparer->status, number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (number == SIGALRM) {
        error_set(err, ERR_QUEUE_FULL,
                  "%s has not ended within %g s on this busy machine: try again later.", what,
                  (double)limit_ms * PREPARER_PATIENCE / 1000);
    } else if (number == SIGVTALRM) {
        error_set(err, ERR_INVALID_REQUEST,
                  "%s takes more than %g s: shorten it, or simplify its chat template, schema "
                  "or grammar.",
                  what, (double)limit_ms / 1000);
    } else if (number == SIGKILL) {
        error_set(err, ERR_NO_MEMORY, "%s has been ended for lack of memory.", what);
    } else {
        error_set(err, ERR_INVALID_REQUEST,
                  "%s makes the engine crash (%s): simplify its chat template, schema or "
                  "grammar, which may be nested too deeply or become too large.",
                  what, number ? strsignal(number) : "it ended");
    }
}

static const char what[] = "Preparing the request";

static void give_up_late(struct engine *e, struct preparing *now, int64_t age) {
    struct error err;
    if (age < e->preparation.rules.limit_ms * PREPARER_PATIENCE * 1000 + LATE_USEC) return;
    error_set(&err, ERR_INTERNAL, "%s has not ended in time; send it again.", what);
    fail(e, now, &err);
}

static void collect(struct engine *e, struct preparing *now, int64_t time) {
    struct frame frame;
    struct error err;
    if (preparer_answer(now->preparer, &frame)) {
        take_answer(e, now, &frame);
    } else if (preparer_is_lost(now->preparer)) {
        preparation_explain(now->preparer, what, e->preparation.rules.limit_ms, &err);
        fail(e, now, &err);
    } else {
        give_up_late(e, now, time - now->since);
    }
}

/* ---- the next ---- */

static struct preparing *free_place(struct preparation *p) {
    for (int i = 0; i < PREPARING_MAX; i++) {
        if (!p->now[i].preparer) return &p->now[i];
    }
    return NULL;
}

static int count_quick(const struct preparation *p, int64_t time) {
    int count = 0;
    for (int i = 0; i < PREPARING_MAX; i++)
        count += p->now[i].preparer && time - p->now[i].since < QUICK_MS * 1000;
    return count;
}

struct preparing *preparation_greediest(struct preparation *p) {
    struct preparing *most = &p->now[0];
    for (int i = 1; i < PREPARING_MAX; i++) {
        if (preparer_computed_ms(p->now[i].preparer) > preparer_computed_ms(most->preparer))
            most = &p->now[i];
    }
    return most;
}

/* False: all are as quick as this machine lets them. */
static bool make_place(struct engine *e) {
    struct error err;
    struct preparing *most = preparation_greediest(&e->preparation);
    if (preparer_computed_ms(most->preparer) < QUICK_MS) return false;
    error_set(&err, ERR_INVALID_REQUEST,
              "%s takes more than %g s while others wait: shorten it, or simplify its chat "
              "template, schema or grammar.",
              what, QUICK_MS / 1e3);
    fail(e, most, &err);
    return true;
}

/* False: it has to wait. */
static bool begin_next(struct engine *e, int64_t time) {
    struct preparation *p = &e->preparation;
    if (count_quick(p, time) >= QUICK_MAX) return false;
    if (!free_place(p) && !make_place(e)) return false;
    struct preparing *now = free_place(p);
    now->preparer = preparers_take(&e->preparers);
    if (!now->preparer) return false; /* those that were given up have still to end */
    now->job = job_queue_take(&p->waiting, &p->waiting.first);
    now->since = time;
    preparer_send(now->preparer, PREPARE_REQUEST, true, now->job->body.data,
                  now->job->body.len);
    buf_clear(&now->job->body);
    return true;
}

void preparation_step(struct engine *e) {
    struct preparation *p = &e->preparation;
    int64_t time = clock_boottime_usec();
    for (int i = 0; i < PREPARING_MAX; i++) {
        if (p->now[i].preparer) collect(e, &p->now[i], time);
    }
    while (p->waiting.first && begin_next(e, time)) continue;
}

/* ---- questions ---- */

bool preparation_has_work(const struct engine *e) {
    const struct preparation *p = &e->preparation;
    if (p->waiting.first) return true;
    for (int i = 0; i < PREPARING_MAX; i++) {
        if (p->now[i].preparer) return true;
    }
    return false;
}

int preparation_timeout(const struct engine *e, int most) {
    return e->preparation.waiting.first && most > LOOK_MS ? LOOK_MS : most;
}

static struct preparing *place_of(struct preparation *p, uint64_t request) {
    for (int i = 0; i < PREPARING_MAX; i++) {
        if (p->now[i].job && p->now[i].job->id == request) return &p->now[i];
    }
    return NULL;
}

struct job *preparation_find(struct engine *e, uint64_t request) {
    const struct preparing *now = place_of(&e->preparation, request);
    return now ? now->job : *job_queue_find(&e->preparation.waiting, request);
}

struct job *preparation_take(struct engine *e, uint64_t request) {
    struct preparation *p = &e->preparation;
    struct preparing *now = place_of(p, request);
    struct job **at = job_queue_find(&p->waiting, request);
    if (!now) return *at ? job_queue_take(&p->waiting, at) : NULL;
    struct job *job = now->job;
    leave(now);
    return job;
}
