/* SPDX-License-Identifier: MIT */
#include "hub/peer_fetch.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/disk_free.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "hub/hub_http.h"
#include "hub/peer_transfer.h"

enum {
    JOBS_MAX = 4,
    AGAIN_MS = 60000, /* after a failure nothing is fetched for this long */
    SCANS = 2         /* one that began before the files came has not seen them */
};

struct peer_waiter {
    struct peer_job *job; /* NULL: it has ended */
    struct peer_waiter *next;
    struct peer_sink sink;
};

/* RUNNING --whole--> INSTALLED --folders read--> freed;  RUNNING --failed--> FAILED, for a
 * while */
enum job_state { JOB_RUNNING, JOB_INSTALLED, JOB_FAILED };

struct peer_job {
    struct peer_fetches *owner;
    struct peer_job *next;
    struct peer_model model;
    enum job_state state;
    int scans;
    msec failed_at;
    struct error err;
    struct peer_waiter *waiters;

    /* of the thread */
    struct peer_transfer transfer;
    enum fetch_end end;
};

struct peer_fetches {
    struct peer_fetches_config config;
    char *models_dir;
    struct peer_job *jobs;
};

/* ---- the life of a job ---- */

/* The file by which it is known. */
static const char *path_of(const struct peer_job *job) {
    return job->model.files[0].path;
}

static void job_free(struct peer_job *job) {
    struct peer_job **link = &job->owner->jobs;
    while (*link != job) link = &(*link)->next;
    *link = job->next;
    for (struct peer_waiter *waiter = job->waiters; waiter; waiter = waiter->next)
        waiter->job = NULL;
    peer_model_clear(&job->model);
    free(job);
}

/* Each may begin another. */
static void tell_all(struct peer_job *job, const struct error *err) {
    while (job->waiters) {
        struct peer_waiter *waiter = job->waiters;
        struct peer_sink sink = waiter->sink;
        job->waiters = waiter->next;
        free(waiter);
        sink.on_end(sink.ctx, err);
    }
}

void peer_waiter_leave(struct peer_waiter *waiter) {
    if (!waiter) return;
    struct peer_waiter **link = waiter->job ? &waiter->job->waiters : NULL;
    while (link && *link != waiter) link = &(*link)->next;
    if (link) *link = waiter->next;
    free(waiter);
}

/* ---- the transfer ---- */

static void job_work(void *ctx, struct hub_task *task) {
    struct peer_job *job = ctx;
    job->end = peer_transfer_run(&job->transfer, task, &job->err);
}

static void set_failure(struct peer_job *job) {
    struct error cause = job->err;
    if (job->end == FETCH_STOPPED) {
        error_set(&job->err, ERR_SHUTTING_DOWN, "The server is shutting down.");
        return;
    }
    error_set(&job->err, job->end == FETCH_FULL ? ERR_DISK_FULL : ERR_BACK_OFF,
              "%.120s could not be fetched from the nodes that have it (%.200s); try again in "
              "a minute.",
              path_of(job), cause.text);
    job->err.retry_after = AGAIN_MS / 1000;
    log_warn("fleet: %s", job->err.text);
}

static void job_on_done(void *ctx) {
    struct peer_job *job = ctx;
    if (job->end == FETCH_DONE) {
        job->state = JOB_INSTALLED;
        log_info("fleet: %s has come from '%s'", path_of(job),
                 peer_transfer_source(&job->transfer));
        job->owner->config.on_installed(job->owner->config.ctx);
        return;
    }
    set_failure(job);
    job->state = JOB_FAILED;
    job->failed_at = clock_boottime();
    tell_all(job, &job->err);
}

void peer_fetches_catalog_read(struct peer_fetches *fetches) {
    struct peer_job *next;
    for (struct peer_job *job = fetches->jobs; job; job = next) {
        next = job->next;
        if (job->state != JOB_INSTALLED) continue;
        if (++job->scans < SCANS) {
            fetches->config.on_installed(fetches->config.ctx);
            continue;
        }
        tell_all(job, NULL);
        job_free(job);
    }
}

/* ---- a request ---- */

static struct peer_job *find_job(struct peer_fetches *fetches, const char *path) {
    struct peer_job *job = fetches->jobs;
    while (job && strcmp(path_of(job), path) != 0) job = job->next;
    return job;
}

/* What failed a while ago may be tried again. */
static void forget_failures(struct peer_fetches *fetches) {
    msec now = clock_boottime();
    struct peer_job *next;
    for (struct peer_job *job = fetches->jobs; job; job = next) {
        next = job->next;
        if (job->state == JOB_FAILED && now - job->failed_at >= AGAIN_MS) job_free(job);
    }
}

static size_t count_running(const struct peer_fetches *fetches) {
    size_t count = 0;
    for (const struct peer_job *job = fetches->jobs; job; job = job->next)
        count += job->state == JOB_RUNNING;
    return count;
}

static bool has_room(const struct peer_fetches *fetches, const struct peer_model *model,
                     struct error *err) {
    nbytes left = disk_free(fetches->models_dir), size = peer_model_size(model);
    if (size <= left && left - size >= DISK_KEPT) return true;
    return error_set(err, ERR_DISK_FULL,
                     "%.120s needs %.1f GB and 1 GB to spare; the disk of %.100s has %.1f GB "
                     "free.",
                     model->files[0].path, (double)size / 1e9, fetches->models_dir,
                     (double)left / 1e9);
}

static bool may_begin(const struct peer_fetches *fetches, const struct peer_model *model,
                      struct error *err) {
    if (count_running(fetches) >= JOBS_MAX) {
        error_set(err, ERR_QUEUE_FULL,
                  "Too many files are being fetched; wait until one has "
                  "come.");
        err->retry_after = 5;
        return false;
    }
    return hub_http_start(err) && has_room(fetches, model, err);
}

static struct peer_job *begin_job(struct peer_fetches *fetches, struct peer_model *model) {
    struct peer_job *job = xcalloc(1, sizeof *job);
    job->owner = fetches;
    job->model = *model;
    *model = (struct peer_model){ 0 };
    job->transfer = (struct peer_transfer){ .model = &job->model,
                                            .models_dir = fetches->models_dir };
    job->next = fetches->jobs;
    fetches->jobs = job;
    job->end = FETCH_FAILED; /* if it gets no thread */
    error_set(&job->err, ERR_IO, "too much is being downloaded");
    (void)hub_task_run(fetches->config.tasks, job_work, job_on_done, job);
    return job;
}

static struct peer_waiter *wait_for(struct peer_job *job, struct peer_sink sink) {
    struct peer_waiter *waiter = xcalloc(1, sizeof *waiter);
    struct peer_waiter **last = &job->waiters;
    while (*last) last = &(*last)->next;
    *waiter = (struct peer_waiter){ .job = job, .sink = sink };
    *last = waiter;
    return waiter;
}

struct peer_waiter *peer_fetch(struct peer_fetches *fetches, struct peer_model *model,
                               struct peer_sink sink, struct error *err) {
    struct peer_waiter *waiter = NULL;
    bool ok = peer_model_check(model, err);
    forget_failures(fetches);
    struct peer_job *job = ok ? find_job(fetches, model->files[0].path) : NULL;
    if (job && job->state == JOB_FAILED)
        *err = job->err;
    else if (ok && !job && may_begin(fetches, model, err))
        job = begin_job(fetches, model);
    if (job && job->state != JOB_FAILED) waiter = wait_for(job, sink);
    peer_model_clear(model);
    return waiter;
}

struct peer_fetches *peer_fetches_new(const struct peer_fetches_config *config) {
    struct peer_fetches *fetches = xcalloc(1, sizeof *fetches);
    fetches->config = *config;
    fetches->models_dir = xstrdup(config->models_dir);
    return fetches;
}

void peer_fetches_free(struct peer_fetches *fetches) {
    struct peer_job *next;
    for (struct peer_job *job = fetches->jobs; job; job = next) {
        next = job->next;
        job_free(job);
    }
    free(fetches->models_dir);
    free(fetches);
}
