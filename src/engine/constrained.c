/* SPDX-License-Identifier: MIT */
#include "engine/constrained.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "engine/preparation.h"
#include "engine/prepare.h"
#include "engine/prepared.h"

/* How long all answers wait for one verdict, and how long after its deadline a verdict is
 * given up. */
enum { PATIENCE_USEC = 20000, LATE_USEC = 2000000 };

static yyjson_val *rules_of(const struct job *job) {
    return yyjson_obj_get(yyjson_doc_get_root(job->plan), "constraint");
}

bool constrained_is(const struct job *job) {
    return rules_of(job) != NULL;
}

static void send_rules(struct job *job, struct preparer *preparer) {
    struct buf json = BUF_INIT(FRAME_MAX_TO_WORKER);
    (void)json_write_val(rules_of(job), &json);
    preparer_send(preparer, PREPARE_CONSTRAINT, true, buf_str(&json), json.len);
    buf_clear(&json);
    job->constraint.preparer = preparer;
    job->constraint.stage = CONSTRAINT_RULES;
    for (size_t i = job->prompt_tokens; i < job->prompt.count; i++)
        constrained_accept(job, job->prompt.data[i]);
}

void constrained_begin(struct engine *e, struct job *job) {
    if (!constrained_is(job) || job->constraint.stage != CONSTRAINT_NEW) return;
    if (yyjson_obj_get(rules_of(job), "guidance")) preparers_warm(&e->preparers);
    struct preparer *preparer = preparers_take(&e->preparers);
    if (preparer) send_rules(job, preparer);
}

static void send_token(struct job *job, int type, bool answered, llama_token token) {
    int32_t value = token;
    preparer_send(job->constraint.preparer, type, answered, &value, sizeof value);
}

void constrained_leave(struct job *job) {
    if (job->constraint.preparer) preparer_give_back(job->constraint.preparer);
    job->constraint = (struct job_constraint){ .stage = CONSTRAINT_NEW };
}

void constrained_accept(struct job *job, llama_token token) {
    send_token(job, PREPARE_ACCEPT, false, token);
}

/* ---- a verdict ---- */

static void lost(struct engine *e, const struct job *job, struct verdict *ret) {
    const struct job_constraint *c = &job->constraint;
    bool rules = c->stage == CONSTRAINT_RULES;
    ret->kind = VERDICT_FAILED;
    preparation_explain(c->preparer,
                        rules ? "Reading the answer's grammar" : "The answer's grammar",
                        rules ? e->preparation.rules.limit_ms : PREPARE_TOKEN_MS, &ret->error);
}

/* The rules were read when the request was prepared, so a failure here is unusual. */
static void refused(struct verdict *ret) {
    ret->kind = VERDICT_FAILED;
    error_set(&ret->error, ERR_INVALID_REQUEST,
              "The grammar of the answer can no longer be used; simplify the schema or the "
              "grammar.");
}

static void take_verdict(struct engine *e, struct job *job, const struct frame *f,
                         struct verdict *ret) {
    struct job_constraint *c = &job->constraint;
    if (f->type != PREPARE_TRIED ||
        (f->len > 0 && f->len != mask_size((size_t)e->model.vocab_size))) {
        refused(ret);
        return;
    }
    if (c->stage == CONSTRAINT_ASKED) {
        ret->kind = f->len > 0 ? VERDICT_MASK : VERDICT_ALLOWED;
        ret->mask = (const unsigned char *)f->payload;
        c->waits = false;
        c->slow = clock_boottime_usec() - c->since > PATIENCE_USEC;
    }
    c->stage = CONSTRAINT_READY;
}

static void check_time(struct engine *e, const struct job *job, struct verdict *ret) {
    int64_t work_ms = PREPARE_TOKEN_MS + e->preparation.rules.limit_ms;
    int64_t limit = work_ms * PREPARER_PATIENCE * 1000 + LATE_USEC;
    if (clock_boottime_usec() - job->constraint.since < limit) return;
    ret->kind = VERDICT_FAILED;
    error_set(&ret->error, ERR_INTERNAL,
              "The answer's grammar was not judged in time; send the request again.");
}

/* As far as it goes without waiting. */
void constrained_look(struct engine *e, struct job *job, struct verdict *ret) {
    struct job_constraint *c = &job->constraint;
    struct frame frame;
    ret->kind = VERDICT_LATE;
    constrained_begin(e, job);
    if (c->preparer && preparer_answer(c->preparer, &frame)) take_verdict(e, job, &frame, ret);
    if (ret->kind != VERDICT_LATE) return;
    if (c->stage == CONSTRAINT_READY && c->waits) {
        send_token(job, PREPARE_TRY, true, c->token);
        c->stage = CONSTRAINT_ASKED;
    }
    if (c->preparer && preparer_is_lost(c->preparer)) {
        lost(e, job, ret);
    } else {
        check_time(e, job, ret);
    }
}

void constrained_ask(struct engine *e, struct job *job, llama_token token, const float *logits,
                     struct verdict *ret) {
    struct job_constraint *c = &job->constraint;
    c->waits = true;
    c->token = token;
    c->since = clock_boottime_usec();
    constrained_look(e, job, ret);
    while (ret->kind == VERDICT_LATE && c->preparer && !c->slow) {
        int64_t left = c->since + PATIENCE_USEC - clock_boottime_usec();
        if (left <= 0) break;
        preparer_wait(c->preparer, (int)(left / 1000) + 1);
        constrained_look(e, job, ret);
        if (c->preparer->state != PREPARER_ALIVE) break;
    }
    if (ret->kind != VERDICT_LATE) return;
    size_t size = (size_t)e->model.vocab_size * sizeof *logits;
    c->slow = true;
    c->logits = xcalloc(1, size);
    memcpy(c->logits, logits, size);
}
