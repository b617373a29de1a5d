/* SPDX-License-Identifier: MIT */
#include "supervisor/oneshot.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "lifecycle/lifecycle.h"
#include "supervisor/internal.h"

struct errand {
    struct errands *errands; /* NULL: they were dropped */
    struct errand *next;
    struct errand_order order;
    bool ended; /* on_end was called */
    struct worker *worker;
    uv_timer_t timer;
    struct log_budget log_budget;
};

static void errand_end(struct errand *e, const struct errand_result *result) {
    if (e->ended || !e->errands) return;
    e->ended = true;
    e->order.on_end(e->order.ctx, result);
}

static void errand_on_frame(void *ctx, struct worker *worker, const struct frame *frame) {
    struct errand *e = ctx;
    struct error err;
    if (frame->type != (uint16_t)e->order.answer && frame->type != MSG_FAILED) return;
    yyjson_doc *doc = json_parse_object(frame->payload, frame->len, &err);
    struct errand_result result = { .answer = yyjson_doc_get_root(doc) };
    if (!doc || frame->type == MSG_FAILED) {
        supervisor_read_failure(result.answer, &err);
        result = (struct errand_result){ .failed = &err };
    }
    errand_end(e, &result);
    yyjson_doc_free(doc);
    worker_kill(worker);
}

static void errand_on_line(void *ctx, struct worker *worker, const char *line) {
    struct errand *e = ctx;
    (void)worker;
    if (log_budget_take(&e->log_budget, clock_boottime()) != LOG_LINE) return;
    if (e->order.question == MSG_CHECK)
        log_debug("%s: %s", e->order.name, line); /* of what is wrong with a client's text */
    else
        log_warn("%s: %s", e->order.name, line);
}

static void errand_on_timer(uv_timer_t *timer) {
    struct errand *e = timer->data;
    worker_kill(e->worker);
}

static void errand_free(struct errand *e) {
    free(e->order.ctx);
    free(e);
}

static void errand_on_closed(uv_handle_t *handle) {
    errand_free(handle->data);
}

static void errand_unlink(struct errand *e) {
    struct errand **link = e->errands ? &e->errands->first : NULL;
    while (link && *link != e) link = &(*link)->next;
    if (link) *link = e->next;
}

static void errand_on_gone(void *ctx, struct worker *worker, const char *how) {
    struct errand *e = ctx;
    (void)worker;
    errand_unlink(e);
    errand_end(e, &(struct errand_result){ .gone = how });
    uv_close((uv_handle_t *)&e->timer, errand_on_closed);
}

struct errand *errand_start(struct errands *errands, uv_loop_t *loop,
                            const struct worker_program *program,
                            const struct errand_order *order, struct error *err) {
    struct errand *e = xcalloc(1, sizeof *e);
    *e = (struct errand){ .errands = errands, .next = errands->first, .order = *order };
    struct worker_owner owner = { .on_frame = errand_on_frame,
                                  .on_gone = errand_on_gone,
                                  .on_line = errand_on_line,
                                  .ctx = e };
    e->worker = worker_spawn(loop, program, LC_NO_SLOT, 0, &owner, err);
    if (!e->worker) {
        errand_free(e);
        return NULL;
    }
    worker_send(e->worker, order->question, 0, order->payload, order->len);
    e->order.payload = NULL;
    uv_timer_init(loop, &e->timer);
    e->timer.data = e;
    uv_timer_start(&e->timer, errand_on_timer, (uint64_t)order->patience_ms, 0);
    errands->first = e;
    return e;
}

void errand_stop(struct errand *errand) {
    worker_kill(errand->worker);
}

int errands_count(const struct errands *errands, enum message_type question) {
    int count = 0;
    for (const struct errand *e = errands->first; e; e = e->next)
        count += e->order.question == question;
    return count;
}

nbytes errands_bytes(const struct errands *errands, enum message_type question) {
    nbytes sum = 0;
    for (const struct errand *e = errands->first; e; e = e->next) {
        if (e->order.question == question && !e->ended) sum += worker_private_bytes(e->worker);
    }
    return sum;
}

void errands_drop(struct errands *errands) {
    for (struct errand *e = errands->first; e; e = e->next) {
        e->errands = NULL;
        worker_kill(e->worker);
    }
    errands->first = NULL;
}
