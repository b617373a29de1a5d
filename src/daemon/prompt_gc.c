/* SPDX-License-Identifier: MIT */
#include "daemon/prompt_gc.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "prompts/folder.h"

/* Every job also scans the folder and applies the budget. */
enum job_kind { JOB_SCAN, JOB_EMPTY };

struct job {
    enum job_kind kind;
    char *folder;   /* JOB_EMPTY: the one; NULL: all */
    prompts_fn *fn; /* NULL: no caller */
    void *ctx;
    struct job *next;
};

struct prompts {
    uv_loop_t *loop;
    char *dir;
    const struct settings *settings;
    struct metrics *metrics;
    struct job *queue, **queue_end;
    bool tending; /* a job that only applies the budget is queued */
    bool closing;

    /* of the job that runs, for the pool's thread */
    uv_work_t work;
    struct job *job;
    uint64_t wanted;
    struct prompt_files files;
    size_t deleted, outlived;
    uint64_t freed;
};

struct prompts *prompts_new(uv_loop_t *loop, const char *state_dir,
                            const struct settings *settings, struct metrics *metrics) {
    struct prompts *p = xcalloc(1, sizeof *p);
    *p = (struct prompts){ .loop = loop, .settings = settings, .metrics = metrics };
    p->dir = xasprintf("%s/prompts", state_dir);
    p->queue_end = &p->queue;
    return p;
}

const char *prompts_dir(const struct prompts *prompts) {
    return prompts->dir;
}

static void job_free(struct job *job) {
    free(job->folder);
    free(job);
}

static void prompts_free(struct prompts *p) {
    while (p->queue) {
        struct job *job = p->queue;
        p->queue = job->next;
        job_free(job);
    }
    free(p->dir);
    free(p);
}

void prompts_close(struct prompts *prompts) {
    if (!prompts) return;
    prompts->closing = true;
    if (!prompts->job) prompts_free(prompts);
}

/* ---- on the pool ---- */

static void prompts_work(uv_work_t *req) {
    struct prompts *p = req->data;
    msec now = clock_unix();
    prompt_files_scan(p->dir, now, &p->files);
    uint64_t bytes = prompt_files_bytes(&p->files);
    if (p->job->kind == JOB_EMPTY) {
        p->deleted = prompt_files_delete(&p->files, p->job->folder);
        p->freed = bytes - prompt_files_bytes(&p->files);
        bytes -= p->freed;
    }
    p->outlived = prompt_files_fit(&p->files, prompt_files_budget(p->dir, p->wanted, bytes),
                                   now);
}

/* ---- on the loop ---- */

static void prompts_start_next(struct prompts *p);

static void prompts_on_done(uv_work_t *req, int status) {
    struct prompts *p = req->data;
    struct job *job = p->job;
    (void)status;
    p->job = NULL;
    p->metrics->prompt_entries = p->files.count;
    p->metrics->prompt_bytes = prompt_files_bytes(&p->files);
    if (p->outlived > 0) log_debug("%zu processed prompts made room for others", p->outlived);
    struct prompts_result result = { &p->files, p->deleted, p->freed };
    if (job->fn && !p->closing) job->fn(job->ctx, &result);
    prompt_files_clear(&p->files);
    job_free(job);
    if (p->closing)
        prompts_free(p);
    else
        prompts_start_next(p);
}

static void prompts_start_next(struct prompts *p) {
    struct job *job = p->queue;
    if (p->job || !job) return;
    p->queue = job->next;
    if (!p->queue) p->queue_end = &p->queue;
    if (!job->fn && job->kind == JOB_SCAN) p->tending = false;
    p->job = job;
    p->wanted = p->settings->prompt_store_bytes;
    p->deleted = 0;
    p->freed = 0;
    p->work.data = p;
    uv_queue_work(p->loop, &p->work, prompts_work, prompts_on_done);
}

static void prompts_add_job(struct prompts *p, enum job_kind kind, char *folder, prompts_fn *fn,
                            void *ctx) {
    struct job *job = xcalloc(1, sizeof *job);
    *job = (struct job){ .kind = kind, .folder = folder, .fn = fn, .ctx = ctx };
    *p->queue_end = job;
    p->queue_end = &job->next;
    prompts_start_next(p);
}

void prompts_tend(struct prompts *prompts) {
    if (prompts->tending) return;
    prompts->tending = true;
    prompts_add_job(prompts, JOB_SCAN, NULL, NULL, NULL);
}

void prompts_list(struct prompts *prompts, prompts_fn *fn, void *ctx) {
    prompts_add_job(prompts, JOB_SCAN, NULL, fn, ctx);
}

void prompts_empty(struct prompts *prompts, const char *model_key, prompts_fn *fn, void *ctx) {
    struct buf folder = BUF_INIT(1024);
    if (model_key) folder_from_key(model_key, &folder);
    prompts_add_job(prompts, JOB_EMPTY, model_key ? buf_take(&folder) : NULL, fn, ctx);
}
