/* SPDX-License-Identifier: MIT */
/* check.c - whether a request's schema or grammar can be used at all, seen by a worker without
 * a model before anything is loaded or evicted for it. */
#include <stdlib.h>

#include "base/xalloc.h"
#include "supervisor/internal.h"

/* Each may compute for some seconds, beside models that are at work. */
enum { CHECKS_AT_ONCE = 2 };
/* The kernel ends it sooner, see MSG_CHECK. */
enum { PATIENCE_MS = 600000 };

struct check {
    struct supervisor *sup;
    call_id call;
    uint64_t hash;
};

static void begin_next(struct supervisor *sup);

static void check_on_end(void *ctx, const struct errand_result *result) {
    const struct check *c = ctx;
    struct supervisor *sup = c->sup;
    struct call *call = call_find(sup->calls, c->call);
    struct error err;
    if (result->answer) known_rules_add(&sup->known_rules, c->hash);
    if (call && result->answer) {
        call->request.rules_state = RULES_CHECKED;
        supervisor_post_call(sup, call);
    } else if (call) {
        if (result->gone)
            error_set(&err, ERR_INVALID_REQUEST,
                      "The schema or grammar of the request cannot be used: the process that "
                      "read it %s. Simplify it.",
                      result->gone);
        call_fail(sup->calls, call, result->gone ? &err : result->failed);
    }
    begin_next(sup);
}

/* No worker can be started: the one that is to load the model will say so. */
static void begin_unchecked(struct supervisor *sup, struct call *call) {
    call->request.rules_state = RULES_CHECKED;
    supervisor_post_call(sup, call);
}

static void begin(struct supervisor *sup, struct call *call) {
    struct buf *rules = &call->request.rules;
    struct check *c = xcalloc(1, sizeof *c);
    *c = (struct check){ .sup = sup,
                         .call = call->id,
                         .hash = known_rules_hash(rules->data, rules->len) };
    struct errand_order order = { .question = MSG_CHECK,
                                  .answer = MSG_CHECKED,
                                  .payload = rules->data,
                                  .len = rules->len,
                                  .patience_ms = PATIENCE_MS,
                                  .name = "the worker that checks a schema",
                                  .ctx = c,
                                  .on_end = check_on_end };
    struct error err;
    call->request.rules_state = RULES_IN_CHECK;
    if (!errand_start(&sup->errands, sup->config.loop, sup->config.worker_program, &order,
                      &err))
        begin_unchecked(sup, call);
    buf_clear(rules);
}

static void find_first(struct call *call, void *ctx) {
    struct call **first = ctx;
    if (call->kind != CALL_REQUEST || call->request.rules_state != RULES_IN_LINE) return;
    if (!*first || call->request.received_usec < (*first)->request.received_usec) *first = call;
}

/* One that has its answer counts until its process is gone; it comes here before. */
static void begin_next(struct supervisor *sup) {
    struct call *first = NULL;
    calls_each(sup->calls, find_first, &first);
    if (first) begin(sup, first);
}

bool supervisor_check_rules(struct supervisor *sup, struct call *call, struct buf *rules) {
    if (known_rules_has(&sup->known_rules, known_rules_hash(rules->data, rules->len)))
        return false;
    call->request.rules = *rules;
    *rules = (struct buf){ 0 };
    call->request.rules_state = RULES_IN_LINE;
    if (errands_count(&sup->errands, MSG_CHECK) < CHECKS_AT_ONCE) begin(sup, call);
    return true;
}
