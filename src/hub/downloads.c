/* SPDX-License-Identifier: MIT */
#include "hub/downloads.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/dirs.h"
#include "base/disk_free.h"
#include "base/memory.h"
#include "base/xalloc.h"
#include "hub/download_job.h"
#include "hub/hub_choice.h"
#include "hub/hub_search.h"

enum { TELL_MS = 500, JOBS_MAX = 500, KEPT_MS = 24 * 3600 * 1000 };

struct downloads {
    struct downloads_config config;
    char *state_dir, *models_dir;
    struct hub_tasks *tasks;
    struct peer_fetches *peers;
    uv_timer_t tell; /* runs while a job does */
    struct download_job *jobs;
    unsigned last_id;
    bool closing;
    void (*on_closed)(void *ctx);
    void *closed_ctx;
};

/* ---- the list ---- */

static struct download_job *find_job(struct downloads *d, const char *id) {
    struct download_job *job = d->jobs;
    while (job && (job->removed || strcmp(job->id, id) != 0)) job = job->next;
    return job;
}

static void unlink_job(struct downloads *d, struct download_job *job) {
    struct download_job **link = &d->jobs;
    while (*link != job) link = &(*link)->next;
    *link = job->next;
}

static void make_id(struct downloads *d, char ret_id[DOWNLOAD_ID_SIZE]) {
    (void)snprintf(ret_id, DOWNLOAD_ID_SIZE, "job-%llx%03u", (long long)clock_unix(),
                   ++d->last_id % 1000);
}

/* Do two plans get the same files? */
static bool is_same_plan(const struct hub_plan *a, const struct hub_plan *b) {
    return strcmp(a->name.owner, b->name.owner) == 0 &&
           strcmp(a->name.repo, b->name.repo) == 0 && strcmp(a->commit, b->commit) == 0 &&
           strcmp(a->files[0].path, b->files[0].path) == 0;
}

static struct download_job *find_same(struct downloads *d, const struct hub_plan *plan) {
    for (struct download_job *job = d->jobs; job; job = job->next) {
        bool over = job->removed || download_job_status(job) == DOWNLOAD_COMPLETED;
        if (!over && is_same_plan(&job->plan, plan)) return job;
    }
    return NULL;
}

/* ---- jobs at work ---- */

static void tell(struct downloads *d, struct download_job *job) {
    struct download_view view;
    if (download_job_view(job, false, &view)) d->config.on_changed(d->config.ctx, &view);
}

static void downloads_on_tell(uv_timer_t *timer) {
    struct downloads *d = timer->data;
    bool running = false;
    for (struct download_job *job = d->jobs; job; job = job->next) {
        if (!job->removed) tell(d, job);
        running = running || job->task;
    }
    if (!running) uv_timer_stop(timer);
}

/* What a task needs to find its job's list when it has ended. */
struct job_run {
    struct downloads *downloads;
    struct download_job *job;
};

static void job_run_work(void *ctx, struct hub_task *task) {
    download_job_work(((struct job_run *)ctx)->job, task);
}

static void drop_job(struct downloads *d, struct download_job *job) {
    unlink_job(d, job);
    download_job_delete(job);
    download_job_set_status(job, DOWNLOAD_REMOVED);
    tell(d, job);
    download_job_free(job);
}

static void run_job(struct downloads *d, struct download_job *job);

static void job_run_on_done(void *ctx) {
    struct job_run *run = ctx;
    struct downloads *d = run->downloads;
    struct download_job *job = run->job;
    free(run);
    job->task = NULL;
    if (job->removed) {
        drop_job(d, job);
        return;
    }
    bool again = job->again && !d->closing;
    bool idle = download_job_status(job) == DOWNLOAD_RUNNING && !d->closing;
    job->again = false;
    if (again) {
        run_job(d, job);
    } else if (download_job_status(job) == DOWNLOAD_COMPLETED) {
        d->config.on_installed(d->config.ctx);
    } else {
        if (idle) download_job_set_status(job, DOWNLOAD_PAUSED); /* it had no thread */
        tell(d, job);
    }
}

static bool catalog_has(const struct catalog *catalog, const struct download_job *job) {
    for (size_t i = 0; i < catalog->count; i++) {
        if (download_job_has_file(job, catalog->models[i].path)) return true;
    }
    return false;
}

/* A scan may have begun before the files came: if it has not seen them, the next one has. A
 * model that it still does not list is one that the catalog knows from another folder. */
void downloads_catalog_read(struct downloads *d, const struct catalog *catalog) {
    peer_fetches_catalog_read(d->peers);
    for (struct download_job *job = d->jobs; job; job = job->next) {
        if (job->task || job->listed || download_job_status(job) != DOWNLOAD_COMPLETED)
            continue;
        if (catalog_has(catalog, job) || job->scans > 0) {
            download_job_set_listed(job);
            tell(d, job);
        } else {
            job->scans++;
            d->config.on_installed(d->config.ctx);
        }
    }
}

static void run_job(struct downloads *d, struct download_job *job) {
    struct job_run *run = xcalloc(1, sizeof *run);
    *run = (struct job_run){ d, job };
    download_job_set_status(job, DOWNLOAD_RUNNING);
    job->connections = d->config.connections(d->config.ctx);
    job->task = hub_task_run(d->tasks, job_run_work, job_run_on_done, run);
    tell(d, job);
    if (!uv_is_active((uv_handle_t *)&d->tell))
        uv_timer_start(&d->tell, downloads_on_tell, TELL_MS, TELL_MS);
}

/* ---- a new download ---- */

/* A plan that is being made. */
struct planning {
    struct downloads *downloads;
    struct hub_name name;
    struct hub_environment env;
    struct hub_plan plan;
    bool plan_only, ok;
    struct error err;
    struct download_sink sink;
};

static void planning_work(void *ctx, struct hub_task *task) {
    struct planning *p = ctx;
    p->ok = hub_plan_make(&p->plan, &p->name, &p->env, memory_total(), task, &p->err);
}

static void answer_view(const struct planning *p, struct download_job *job,
                        enum download_status status) {
    struct download_view view;
    (void)download_job_view(job, false, &view);
    if (status != DOWNLOAD_RUNNING) {
        view.id = NULL;
        view.status = status;
    }
    view.fits = hub_fits(view.total, memory_total());
    view.disk_free = disk_free(job->folder);
    p->sink.on_begun(p->sink.ctx, &view, NULL);
}

static bool has_room(struct download_job *job, struct error *err) {
    nbytes free_bytes = disk_free(job->folder), left = job->plan.bytes - job->done;
    if (left + DISK_KEPT <= free_bytes) return true;
    return error_set(err, ERR_DISK_FULL,
                     "%s needs %.1f GB and 1 GB to spare; the disk of %.100s has %.1f GB free.",
                     job->repo, (double)left / 1e9, job->folder, (double)free_bytes / 1e9);
}

static size_t count_jobs(const struct downloads *d) {
    size_t count = 0;
    for (const struct download_job *job = d->jobs; job; job = job->next) count++;
    return count;
}

/* Begin the job and take it. */
static bool start_job(struct downloads *d, struct download_job *job, struct error *err) {
    if (!has_room(job, err)) return false;
    char *folder = xasprintf("%s/downloads", d->state_dir);
    bool ok = dirs_make(folder, 0700, err);
    free(folder);
    if (!ok) return false;
    if (count_jobs(d) < JOBS_MAX) {
        job->next = d->jobs;
        d->jobs = job;
        run_job(d, job);
        return true;
    }
    return error_set(err, ERR_QUEUE_FULL,
                     "Too many downloads; wait until one ends, or remove some.");
}

/* The plan is made: answer, and begin unless only the plan was wanted. */
static void planning_use(struct planning *p) {
    struct downloads *d = p->downloads;
    struct download_job *same = p->plan_only ? NULL : find_same(d, &p->plan);
    char id[DOWNLOAD_ID_SIZE];
    bool whole;
    if (same) {
        (void)downloads_resume(d, same->id);
        answer_view(p, same, DOWNLOAD_RUNNING);
        return;
    }
    make_id(d, id);
    struct download_job *job = download_job_new(id, &p->plan, &p->env, d->state_dir,
                                                d->models_dir);
    job->done = download_job_on_disk(job, &whole);
    if (whole || p->plan_only) {
        answer_view(p, job, whole ? DOWNLOAD_ALREADY : DOWNLOAD_PLANNED);
        download_job_free(job);
    } else if (start_job(d, job, &p->err)) {
        answer_view(p, job, DOWNLOAD_RUNNING);
    } else {
        download_job_free(job);
        p->sink.on_begun(p->sink.ctx, NULL, &p->err);
    }
}

static void planning_on_done(void *ctx) {
    struct planning *p = ctx;
    if (p->downloads->closing)
        error_set(&p->err, ERR_SHUTTING_DOWN, "The server is shutting down.");
    if (p->ok && !p->downloads->closing)
        planning_use(p);
    else
        p->sink.on_begun(p->sink.ctx, NULL, &p->err);
    hub_plan_clear(&p->plan);
    hub_environment_clear(&p->env);
    free(p);
}

/* Why a task did not work, unless it says otherwise: libcurl is missing, or too many run. */
static bool prepare_task(struct error *err) {
    if (!hub_http_start(err)) return false;
    error_set(err, ERR_QUEUE_FULL, "Too many requests to the hub run; try again soon.");
    err->retry_after = 1;
    return true;
}

void downloads_begin(struct downloads *d, const struct hub_name *name, bool plan_only,
                     struct download_sink sink) {
    struct planning *p = xcalloc(1, sizeof *p);
    *p = (struct planning){
        .downloads = d, .name = *name, .plan_only = plan_only, .sink = sink
    };
    hub_environment_read(&p->env);
    bool ready = prepare_task(&p->err);
    (void)hub_task_run(d->tasks, ready ? planning_work : NULL, planning_on_done, p);
}

/* ---- what can be seen and done ---- */

bool downloads_view(struct downloads *d, const char *id, struct download_view *ret) {
    struct download_job *job = find_job(d, id);
    if (!job) return false;
    (void)download_job_view(job, true, ret);
    return true;
}

void downloads_each(struct downloads *d,
                    void (*fn)(void *ctx, const struct download_view *view), void *ctx) {
    struct download_view view;
    for (struct download_job *job = d->jobs; job; job = job->next) {
        if (job->removed) continue;
        (void)download_job_view(job, false, &view);
        fn(ctx, &view);
    }
}

bool downloads_pause(struct downloads *d, const char *id) {
    struct download_job *job = find_job(d, id);
    if (!job || !job->task) return false;
    job->again = false;
    download_job_set_status(job, DOWNLOAD_PAUSED);
    hub_task_stop(job->task);
    return true;
}

bool downloads_resume(struct downloads *d, const char *id) {
    struct error err;
    struct download_job *job = find_job(d, id);
    if (!job || download_job_status(job) == DOWNLOAD_COMPLETED) return false;
    if (!job->task && !hub_http_start(&err)) return false;
    if (!job->task) {
        run_job(d, job);
        return true;
    }
    if (download_job_status(job) != DOWNLOAD_PAUSED) return false;
    job->again = true;
    download_job_set_status(job, DOWNLOAD_RUNNING);
    return true;
}

bool downloads_remove(struct downloads *d, const char *id) {
    struct download_job *job = find_job(d, id);
    if (!job) return false;
    job->removed = true;
    if (job->task)
        hub_task_stop(job->task);
    else
        drop_job(d, job);
    return true;
}

void downloads_search(struct downloads *d, const char *words, size_t max,
                      struct search_sink sink) {
    struct error busy;
    bool ready = prepare_task(&busy);
    hub_search_run(d->tasks, words, max, ready, &busy, sink);
}

void downloads_list_options(struct downloads *d, const char *repo, struct option_sink sink) {
    struct error busy;
    bool ready = prepare_task(&busy);
    hub_options_run(d->tasks, repo, ready, &busy, sink);
}

struct peer_waiter *downloads_from_peers(struct downloads *d, struct peer_model *model,
                                         struct peer_sink sink, struct error *err) {
    return peer_fetch(d->peers, model, sink, err);
}

/* ---- begin and end ---- */

static void take_record(struct downloads *d, const char *path) {
    struct error err;
    struct hub_environment env;
    hub_environment_read(&env);
    struct download_job *job = download_job_read(path, &env, d->state_dir, d->models_dir);
    hub_environment_clear(&env);
    if (!job) return;
    bool old = clock_unix() - job->completed_at > KEPT_MS;
    if (job->status == DOWNLOAD_COMPLETED && old) {
        download_job_delete(job);
        download_job_free(job);
        return;
    }
    job->next = d->jobs;
    d->jobs = job;
    if (job->status == DOWNLOAD_RUNNING && hub_http_start(&err)) run_job(d, job);
}

static void read_records(struct downloads *d) {
    char *folder = xasprintf("%s/downloads", d->state_dir);
    struct dirent **names = NULL;
    int count = scandir(folder, &names, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        const char *dot = strrchr(names[i]->d_name, '.');
        char *path = xasprintf("%s/%s", folder, names[i]->d_name);
        if (dot && strcmp(dot, ".json") == 0) take_record(d, path);
        free(path);
        free(names[i]);
    }
    free(names);
    free(folder);
}

struct downloads *downloads_new(const struct downloads_config *config) {
    struct downloads *d = xcalloc(1, sizeof *d);
    d->config = *config;
    d->state_dir = xstrdup(config->state_dir);
    d->models_dir = xstrdup(config->models_dir);
    d->tasks = hub_tasks_new(config->loop);
    d->peers = peer_fetches_new(
        &(struct peer_fetches_config){ .tasks = d->tasks,
                                       .models_dir = d->models_dir,
                                       .on_installed = config->on_installed,
                                       .ctx = config->ctx });
    uv_timer_init(config->loop, &d->tell);
    d->tell.data = d;
    read_records(d);
    return d;
}

static void downloads_on_timer_closed(uv_handle_t *handle) {
    struct downloads *d = handle->data;
    void (*on_closed)(void *ctx) = d->on_closed;
    void *ctx = d->closed_ctx;
    while (d->jobs) {
        struct download_job *next = d->jobs->next;
        download_job_free(d->jobs);
        d->jobs = next;
    }
    peer_fetches_free(d->peers);
    free(d->state_dir);
    free(d->models_dir);
    free(d);
    on_closed(ctx);
}

static void downloads_on_tasks_closed(void *ctx) {
    struct downloads *d = ctx;
    uv_close((uv_handle_t *)&d->tell, downloads_on_timer_closed);
}

void downloads_close(struct downloads *d, void (*on_closed)(void *ctx), void *ctx) {
    if (!d) {
        on_closed(ctx);
        return;
    }
    d->closing = true;
    d->on_closed = on_closed;
    d->closed_ctx = ctx;
    hub_tasks_close(d->tasks, downloads_on_tasks_closed, d);
}
