/* SPDX-License-Identifier: MIT */
/*
 * preparation.h - the worker's side of preparing requests: those being prepared, and those
 * that wait for it.
 *
 * Two are prepared at a time. One that takes longer than QUICK_MS (preparation.c) does not
 * count as one of the two, so that others need not wait for it. It may go on until its
 * deadline; but if there are too many such requests and others wait, the one that has computed
 * most is given up.
 */
#ifndef DOZE_ENGINE_PREPARATION_H
#define DOZE_ENGINE_PREPARATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/job.h"
#include "engine/prepare.h"
#include "engine/preparers.h"
#include "load/load_settings.h"

struct engine;

struct preparing {
    struct preparer *preparer; /* NULL: this place is free */
    struct job *job;
    int64_t since; /* us */
};

struct preparation {
    struct job_queue waiting;
    struct preparing now[PREPARING_MAX];
    struct prepare_rules rules;
};

/* Begin, after the model is open and before the context is. */
bool preparation_begin(struct engine *engine, const struct load_settings *settings,
                       struct error *err);
void preparation_clear(struct engine *engine);

/* Takes the job and copies the request's body. When it is prepared it joins the engine's queue
 * in the order of arrival, or has its answer. */
void preparation_add(struct engine *engine, struct job *job, const char *body, size_t len);

/* Take results, give up what takes too long, begin the next. */
void preparation_step(struct engine *engine);

bool preparation_has_work(const struct engine *engine);
/* Milliseconds to wait for news: at most `most`. */
int preparation_timeout(const struct engine *engine, int most);

/* The request that has computed most, in any place, which is given up first. Of equals the
 * first. */
struct preparing *preparation_greediest(struct preparation *preparation);

/* The request's job; NULL: it is not here. */
struct job *preparation_find(struct engine *engine, uint64_t request);
/* The same, and give it to the caller; its preparation ends. */
struct job *preparation_take(struct engine *engine, uint64_t request);

/* Set the error of a request whose preparer has ended without an answer. limit_ms: the time
 * that it had. what: "Preparing the request", ... */
void preparation_explain(const struct preparer *preparer, const char *what, int64_t limit_ms,
                         struct error *err);

#endif
