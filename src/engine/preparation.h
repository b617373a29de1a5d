/* SPDX-License-Identifier: MIT */
/*
 * preparation.h - the requests that are being prepared, or wait for that: the worker's side.
 *
 * Two are prepared at a time. One that takes longer than QUICK_MS (preparation.c) no longer
 * counts, so that others need not wait for it; it has until its deadline, but if there are too
 * many of its kind and others wait, the one that has computed most is given up.
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

/* The model has been opened and the context has not. */
bool preparation_begin(struct engine *engine, const struct load_settings *settings,
                       struct error *err);
void preparation_clear(struct engine *engine);

/* Takes the job and copies the request's body. When it is prepared it joins the engine's queue
 * in the order of arrival, or has its answer. */
void preparation_add(struct engine *engine, struct job *job, const char *body, size_t len);

/* Take results, give up what takes too long, begin the next. */
void preparation_step(struct engine *engine);

bool preparation_has_work(const struct engine *engine);
/* How long to wait for news at most; `most` if that is sooner. */
int preparation_timeout(const struct engine *engine, int most);

/* Of requests in all places: the one that has computed most, and is given up first. Of equals
 * the first. */
struct preparing *preparation_greediest(struct preparation *preparation);

/* The request's job; NULL: it is not here. */
struct job *preparation_find(struct engine *engine, uint64_t request);
/* The same, and it is the caller's then; what was begun for it ends. */
struct job *preparation_take(struct engine *engine, uint64_t request);

/* Why a preparer that owed an answer has ended, in words for the request. limit_ms: what it had
 * to do its work. what: "Preparing the request", ... */
void preparation_explain(const struct preparer *preparer, const char *what, int64_t limit_ms,
                         struct error *err);

#endif
