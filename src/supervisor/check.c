/* SPDX-License-Identifier: MIT */
/* check.c - has a worker without a model check whether a request's schema or grammar can be
 * used at all, before anything is loaded or evicted for it. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "supervisor/internal.h"

/* Each may compute for some seconds, beside models that are at work. */
enum { CHECKS_AT_ONCE = 2 };
/* The kernel ends it sooner, see MSG_CHECK. */
enum { PATIENCE_MS = 600000 };

struct check {
    struct supervisor *sup;
    call_id call;
    const struct oneshot *oneshot;
    uint64_t hash;
};

static void begin_next(struct supervisor *sup);

/* What its name means may have changed meanwhile. */
static void begin_again(struct supervisor *sup, struct call *call, enum rules_state state) {
    call->request.rules_state = state;
    buf_clear(&call->request.rules);
    free(call->model_key);
    call->model_key = NULL;
    supervisor_post_call(sup, call);
}

/* Errors that the worker which is to load the model will report sooner or better. */
static void begin_unchecked(struct supervisor *sup, struct call *call) {
    begin_again(sup, call, RULES_CHECKED);
}

static int killed_by(const char *gone) {
    int number = 0;
    return sscanf(gone, "was killed by signal %d", &number) == 1 ? number : 0;
}

/* gone: how its reader ended. */
static void fail_unread(struct supervisor *sup, struct call *call, const char *gone) {
    struct error err;
    if (killed_by(gone) == SIGVTALRM)
        error_set(
            &err, ERR_INVALID_REQUEST,
            "Checking the request's schemas, grammar, chat template and pictures takes longer "
            "than the setting prepare_seconds allows; simplify them.");
    else
        error_set(
            &err, ERR_INVALID_REQUEST,
            "The request's schemas, grammar, chat template or pictures cannot be used: the "
            "process that checked them %s; simplify them.",
            gone);
    call_fail(sup->calls, call, &err);
}

/* If the checking process was killed from outside, for example for lack of memory, that says
 * nothing about the rules. */
static void check_on_end(void *ctx, const struct oneshot_result *result) {
    const struct check *c = ctx;
    struct supervisor *sup = c->sup;
    struct call *call = call_find(sup->calls, c->call);
    if (result->answer) known_rules_add(&sup->known_rules, c->hash);
    if (call && call->request.rules_state == RULES_IN_CHECK &&
        call->request.check == c->oneshot) {
        if (result->answer || (result->gone && killed_by(result->gone) == SIGKILL))
            begin_unchecked(sup, call);
        else if (result->gone)
            fail_unread(sup, call, result->gone);
        else
            call_fail(sup->calls, call, result->failed);
    }
    begin_next(sup);
}

/* False: the call is not being checked, maybe because another call's check gave the answer. */
static bool begin(struct supervisor *sup, struct call *call) {
    struct buf *rules = &call->request.rules;
    uint64_t hash = known_rules_hash(rules->data, rules->len);
    if (known_rules_has(&sup->known_rules, hash)) {
        begin_unchecked(sup, call);
        return false;
    }
    struct check *c = xcalloc(1, sizeof *c);
    *c = (struct check){ .sup = sup, .call = call->id, .hash = hash };
    struct oneshot_order order = { .question = MSG_CHECK,
                                   .answer = MSG_CHECKED,
                                   .payload = rules->data,
                                   .len = rules->len,
                                   .patience_ms = PATIENCE_MS,
                                   .name = "the worker that checks a schema",
                                   .ctx = c,
                                   .on_end = check_on_end };
    struct error err;
    call->request.rules_state = RULES_IN_CHECK;
    call->request.check = oneshot_start(&sup->oneshots, sup->config.loop,
                                        sup->config.worker_program, &order, &err);
    if (!call->request.check) {
        begin_unchecked(sup, call);
        return false;
    }
    c->oneshot = call->request.check;
    buf_clear(rules);
    return true;
}

struct search {
    struct supervisor *sup;
    struct call *call; /* the one to be compared with */
    struct call *first;
    int count;
};

static bool in_line(const struct call *call) {
    return call->kind == CALL_REQUEST && call->request.rules_state == RULES_IN_LINE;
}

static void count_of_client(struct call *call, void *ctx) {
    struct search *s = ctx;
    s->count += call->kind == CALL_REQUEST && call->request.rules_state == RULES_IN_CHECK &&
                call->request.asked.client == s->call->request.asked.client;
}

/* Of the same client. Calls without a client (0) have none in common. */
static int checks_beside(struct supervisor *sup, struct call *call) {
    struct search s = { .call = call };
    if (call->request.asked.client != 0) calls_each(sup->calls, count_of_client, &s);
    return s.count;
}

/* As order among the requests of one model, rule 1: a client that has none under way first,
 * then the earliest call. */
static bool is_sooner(struct supervisor *sup, struct call *a, struct call *b) {
    int one = checks_beside(sup, a), other = checks_beside(sup, b);
    return one != other ? one < other : a->request.received_usec < b->request.received_usec;
}

static void find_first(struct call *call, void *ctx) {
    struct search *s = ctx;
    if (in_line(call) && (!s->first || is_sooner(s->sup, call, s->first))) s->first = call;
}

static void count_before(struct call *call, void *ctx) {
    struct search *s = ctx;
    s->count += in_line(call) && call != s->call && is_sooner(s->sup, call, s->call);
}

uint32_t supervisor_place_in_checks(struct supervisor *sup, struct call *call) {
    struct search s = { .sup = sup, .call = call };
    if (!in_line(call)) return 0;
    calls_each(sup->calls, count_before, &s);
    return (uint32_t)s.count + 1;
}

/* One that has its answer counts until its process is gone; it comes here before. */
static void begin_next(struct supervisor *sup) {
    struct search s;
    do {
        s = (struct search){ .sup = sup };
        calls_each(sup->calls, find_first, &s);
    } while (s.first && !begin(sup, s.first));
}

static void count_waiting(struct call *call, void *ctx) {
    int64_t *count = ctx;
    *count += in_line(call);
}

static bool has_room(struct supervisor *sup, struct error *err) {
    int64_t waiting = 0;
    calls_each(sup->calls, count_waiting, &waiting);
    if (waiting < (int64_t)sup->config.settings->rules.max_waiting) return true;
    error_set(
        err, ERR_QUEUE_FULL,
        "%lld requests already wait for their schemas, templates and pictures to be read; "
        "try again later.",
        (long long)waiting);
    err->retry_after = 1;
    return false;
}

bool supervisor_check_rules(struct supervisor *sup, struct call *call, const char *model_key,
                            struct buf *rules, bool *ret_waits, struct error *err) {
    *ret_waits = false;
    if (known_rules_has(&sup->known_rules, known_rules_hash(rules->data, rules->len)))
        return true;
    if (!has_room(sup, err)) return false;
    call->model_key = xstrdup(model_key);
    call->request.rules = *rules;
    *rules = (struct buf){ 0 };
    call->request.rules_state = RULES_IN_LINE;
    if (oneshots_count(&sup->oneshots, MSG_CHECK) < CHECKS_AT_ONCE) (void)begin(sup, call);
    *ret_waits = true;
    return true;
}

void supervisor_stop_check(struct call *call) {
    if (call->kind != CALL_REQUEST || call->request.rules_state != RULES_IN_CHECK) return;
    oneshot_stop(call->request.check);
    call->request.rules_state = RULES_UNCHECKED;
}

static bool waits(const struct call *call) {
    return in_line(call) ||
           (call->kind == CALL_REQUEST && call->request.rules_state == RULES_IN_CHECK);
}

struct leaving {
    struct supervisor *sup;
    const char *model_key; /* NULL: any */
};

static void leave_line(struct call *call, void *ctx) {
    const struct leaving *leaving = ctx;
    if (!waits(call)) return;
    if (leaving->model_key && strcmp(call->model_key, leaving->model_key) != 0) return;
    supervisor_stop_check(call);
    begin_again(leaving->sup, call, RULES_UNCHECKED);
}

void supervisor_end_checks(struct supervisor *sup, const char *model_key) {
    struct leaving leaving = { sup, model_key };
    calls_each(sup->calls, leave_line, &leaving);
}
