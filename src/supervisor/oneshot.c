/* SPDX-License-Identifier: MIT */
#include "supervisor/oneshot.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "lifecycle/lifecycle.h"
#include "supervisor/internal.h"

struct oneshot {
    struct oneshots *oneshots; /* NULL: they were dropped */
    struct oneshot *next;
    struct oneshot_order order;
    bool ended; /* on_end was called */
    struct worker *worker;
    uv_timer_t timer;
    struct log_budget log_budget;
};

static void oneshot_end(struct oneshot *o, const struct oneshot_result *result) {
    if (o->ended || !o->oneshots) return;
    o->ended = true;
    o->order.on_end(o->order.ctx, result);
}

static void oneshot_on_frame(void *ctx, struct worker *worker, const struct frame *frame) {
    struct oneshot *o = ctx;
    struct error err;
    if (frame->type != (uint16_t)o->order.answer && frame->type != MSG_FAILED) return;
    yyjson_doc *doc = json_parse_object(frame->payload, frame->len, &err);
    struct oneshot_result result = { .answer = yyjson_doc_get_root(doc) };
    if (!doc || frame->type == MSG_FAILED) {
        supervisor_read_failure(result.answer, &err);
        result = (struct oneshot_result){ .failed = &err };
    }
    oneshot_end(o, &result);
    yyjson_doc_free(doc);
    worker_kill(worker);
}

static void oneshot_on_line(void *ctx, struct worker *worker, const char *line) {
    struct oneshot *o = ctx;
    (void)worker;
    if (log_budget_take(&o->log_budget, clock_boottime()) != LOG_LINE) return;
    if (o->order.question == MSG_CHECK)
        log_debug("%s: %s", o->order.name, line); /* of what is wrong with a client's text */
    else
        log_warn("%s: %s", o->order.name, line);
}

static void oneshot_on_timer(uv_timer_t *timer) {
    struct oneshot *o = timer->data;
    worker_kill(o->worker);
}

static void oneshot_free(struct oneshot *o) {
    free(o->order.ctx);
    free(o);
}

static void oneshot_on_closed(uv_handle_t *handle) {
    oneshot_free(handle->data);
}

static void oneshot_unlink(struct oneshot *o) {
    struct oneshot **link = o->oneshots ? &o->oneshots->first : NULL;
    while (link && *link != o) link = &(*link)->next;
    if (link) *link = o->next;
}

static void oneshot_on_gone(void *ctx, struct worker *worker, const char *how) {
    struct oneshot *o = ctx;
    (void)worker;
    oneshot_unlink(o);
    oneshot_end(o, &(struct oneshot_result){ .gone = how });
    uv_close((uv_handle_t *)&o->timer, oneshot_on_closed);
}

struct oneshot *oneshot_start(struct oneshots *oneshots, uv_loop_t *loop,
                              const struct worker_program *program,
                              const struct oneshot_order *order, struct error *err) {
    struct oneshot *o = xcalloc(1, sizeof *o);
    *o = (struct oneshot){ .oneshots = oneshots, .next = oneshots->first, .order = *order };
    struct worker_owner owner = { .on_frame = oneshot_on_frame,
                                  .on_gone = oneshot_on_gone,
                                  .on_line = oneshot_on_line,
                                  .ctx = o };
    o->worker = worker_spawn(loop, program, LC_NO_SLOT, 0, &owner, err);
    if (!o->worker) {
        oneshot_free(o);
        return NULL;
    }
    worker_send(o->worker, order->question, 0, order->payload, order->len);
    o->order.payload = NULL;
    uv_timer_init(loop, &o->timer);
    o->timer.data = o;
    uv_timer_start(&o->timer, oneshot_on_timer, (uint64_t)order->patience_ms, 0);
    oneshots->first = o;
    return o;
}

void oneshot_stop(struct oneshot *oneshot) {
    worker_kill(oneshot->worker);
}

int oneshots_count(const struct oneshots *oneshots, enum message_type question) {
    int count = 0;
    for (const struct oneshot *o = oneshots->first; o; o = o->next)
        count += o->order.question == question;
    return count;
}

nbytes oneshots_bytes(const struct oneshots *oneshots, enum message_type question) {
    nbytes sum = 0;
    for (const struct oneshot *o = oneshots->first; o; o = o->next) {
        if (o->order.question == question && !o->ended) sum += worker_private_bytes(o->worker);
    }
    return sum;
}

void oneshots_drop(struct oneshots *oneshots) {
    for (struct oneshot *o = oneshots->first; o; o = o->next) {
        o->oneshots = NULL;
        worker_kill(o->worker);
    }
    oneshots->first = NULL;
}
