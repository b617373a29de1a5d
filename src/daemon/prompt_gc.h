/* SPDX-License-Identifier: MIT */
/*
 * prompt_gc.h - keeps the prompt store within its budget, lists it and clears it. The work
 * is done on the pool, one job at a time; results are delivered on the loop's thread.
 */
#ifndef DOZE_DAEMON_PROMPT_GC_H
#define DOZE_DAEMON_PROMPT_GC_H

#include <uv.h>

#include "daemon/prompt_files.h"
#include "supervisor/metrics.h"
#include "supervisor/settings.h"

struct prompts;

struct prompts_result {
    const struct prompt_files *files; /* what is in it now; borrowed for the call */
    size_t deleted;                   /* by this job's clear */
    uint64_t freed;
};

typedef void prompts_fn(void *ctx, const struct prompts_result *result);

/* settings and metrics are borrowed; the number and bytes of the files are kept in metrics. */
struct prompts *prompts_new(uv_loop_t *loop, const char *state_dir,
                            const struct settings *settings, struct metrics *metrics);
/* Freed when the running job has ended; queued jobs are dropped without a call. */
void prompts_close(struct prompts *prompts);

/* The store's folder. */
const char *prompts_dir(const struct prompts *prompts);

/* Files may have been added: apply the budget soon. */
void prompts_tend(struct prompts *prompts);

/* List what is in the store. */
void prompts_list(struct prompts *prompts, prompts_fn *fn, void *ctx);

/* Delete the entries of one model (NULL: of all). fn may be NULL. */
void prompts_empty(struct prompts *prompts, const char *model_key, prompts_fn *fn, void *ctx);

#endif
