/* SPDX-License-Identifier: MIT */
#include "supervisor/standby.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/xalloc.h"
#include "lifecycle/lifecycle.h"
#include "supervisor/log_budget.h"

/* How long the daemon is idle before it starts a spare, so that the start does not compete
 * with a client's next request. */
enum { REST_MS = 500 };

#define LEAST_FREE ((nbytes)512 << 20)

struct standby {
    uv_loop_t *loop;
    const struct worker_program *program;
    uv_timer_t timer;
    struct log_budget log_budget;
    struct worker *spare;
    struct worker *kept[LC_MAX_SLOTS]; /* for a slot each */
    bool broken;  /* the last one exited by itself: start none before the next load */
    bool closing; /* its owner is gone */
    int open;     /* handles: the timer, and workers not taken */
};

static void standby_drop_handle(struct standby *s) {
    if (--s->open == 0) free(s);
}

/* ---- the spare ---- */

static bool is_same_build(const struct frame *frame) {
    struct error err;
    yyjson_doc *doc = json_parse_object(frame->payload, frame->len, &err);
    int64_t version = yyjson_get_sint(yyjson_obj_get(yyjson_doc_get_root(doc), "version"));
    yyjson_doc_free(doc);
    return version == MESSAGE_VERSION;
}

/* A spare sends only HELLO, which its later owner does not get. */
static void standby_on_frame(void *ctx, struct worker *worker, const struct frame *frame) {
    (void)ctx;
    if (frame->type != MSG_HELLO || !is_same_build(frame)) worker_kill(worker);
}

static void standby_on_line(void *ctx, struct worker *worker, const char *line) {
    struct standby *s = ctx;
    (void)worker;
    if (log_budget_take(&s->log_budget, clock_boottime()) == LOG_LINE)
        log_warn("the spare worker: %s", line);
}

static void standby_on_gone(void *ctx, struct worker *worker, const char *how) {
    struct standby *s = ctx;
    if (s->spare == worker) {
        log_debug("the spare worker %s", how);
        s->spare = NULL;
        s->broken = true;
    }
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        if (s->kept[i] == worker) s->kept[i] = NULL; /* its slot starts another */
    }
    standby_drop_handle(s);
}

static struct worker *standby_spawn(struct standby *s, struct error *err) {
    struct worker_owner owner = { .on_frame = standby_on_frame,
                                  .on_gone = standby_on_gone,
                                  .on_line = standby_on_line,
                                  .ctx = s };
    struct worker *worker = worker_spawn(s->loop, s->program, -1, 0, &owner, err);
    if (worker) s->open++;
    return worker;
}

void standby_want(struct standby *standby) {
    standby_busy(standby);
    if (standby->spare || standby->broken || standby->closing) return;
    if (memory_available() < LEAST_FREE) return;
    struct error err;
    standby->spare = standby_spawn(standby, &err);
    standby->broken = !standby->spare; /* the next load will say why */
}

bool standby_keep(struct standby *standby, int slot, struct error *err) {
    assert(!standby->kept[slot]);
    standby->kept[slot] = standby->spare ? standby->spare : standby_spawn(standby, err);
    standby->spare = NULL;
    return standby->kept[slot] != NULL;
}

bool standby_keeps(const struct standby *standby, int slot) {
    return standby->kept[slot] != NULL;
}

void standby_release(struct standby *standby, int slot) {
    struct worker *worker = standby->kept[slot];
    standby->kept[slot] = NULL;
    if (worker && !standby->spare)
        standby->spare = worker;
    else if (worker)
        worker_kill(worker);
}

struct worker *standby_take(struct standby *standby, int slot, uint32_t generation,
                            const struct worker_owner *owner) {
    struct worker *worker = standby->kept[slot];
    standby->kept[slot] = NULL;
    standby->broken = false;
    if (!worker) {
        worker = standby->spare;
        standby->spare = NULL;
    }
    if (!worker) return NULL;
    worker_adopt(worker, slot, generation, owner);
    standby_drop_handle(standby);
    return worker;
}

void standby_drop(struct standby *standby) {
    struct worker *worker = standby->spare;
    standby_busy(standby);
    standby->spare = NULL;
    if (worker) worker_kill(worker);
}

/* ---- when the daemon is idle ---- */

static void standby_on_timer(uv_timer_t *timer) {
    standby_want(timer->data);
}

void standby_idle(struct standby *standby) {
    if (standby->spare || standby->broken || standby->closing) return;
    if (uv_is_active((uv_handle_t *)&standby->timer)) return;
    uv_timer_start(&standby->timer, standby_on_timer, REST_MS, 0);
}

void standby_busy(struct standby *standby) {
    uv_timer_stop(&standby->timer);
}

/* ---- life ---- */

struct standby *standby_new(uv_loop_t *loop, const struct worker_program *program) {
    struct standby *s = xcalloc(1, sizeof *s);
    s->loop = loop;
    s->program = program;
    uv_timer_init(loop, &s->timer);
    s->timer.data = s;
    s->open = 1;
    return s;
}

static void standby_on_closed(uv_handle_t *handle) {
    standby_drop_handle(handle->data);
}

void standby_free(struct standby *standby) {
    if (!standby) return;
    standby->closing = true;
    for (int i = 0; i < LC_MAX_SLOTS; i++) standby_release(standby, i);
    standby_drop(standby);
    uv_close((uv_handle_t *)&standby->timer, standby_on_closed);
}
