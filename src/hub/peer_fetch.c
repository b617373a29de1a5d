/* SPDX-License-Identifier: MIT */
#include "hub/peer_fetch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/dirs.h"
#include "base/disk_free.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "hub/hub_fetch.h"
#include "hub/partial_file.h"

enum {
    JOBS_MAX = 4,
    ROUNDS_MAX = 3,   /* tries of each source without a byte coming */
    AGAIN_MS = 60000, /* after a failure nothing is fetched for this long */
    SCANS = 2         /* one that began before the file came has not seen it */
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
    struct peer_file file;
    char *path; /* absolute */
    enum job_state state;
    int scans;
    msec failed_at;
    struct error err;
    struct peer_waiter *waiters;

    /* of the thread */
    nbytes reached; /* bytes */
    unsigned tries; /* since then */
    size_t turn;    /* of the sources */
    enum fetch_end end;
};

struct peer_fetches {
    struct peer_fetches_config config;
    char *models_dir;
    struct peer_job *jobs;
};

/* ---- the life of a job ---- */

static void file_clear(struct peer_file *file) {
    for (size_t i = 0; i < file->count; i++) {
        free(file->sources[i].name);
        free(file->sources[i].url);
    }
    free(file->sources);
    free(file->path);
    if (file->signer.free) file->signer.free(file->signer.ctx);
    *file = (struct peer_file){ 0 };
}

static void job_free(struct peer_job *job) {
    struct peer_job **link = &job->owner->jobs;
    while (*link != job) link = &(*link)->next;
    *link = job->next;
    for (struct peer_waiter *waiter = job->waiters; waiter; waiter = waiter->next)
        waiter->job = NULL;
    file_clear(&job->file);
    free(job->path);
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

static const char *source_of(const struct peer_job *job) {
    return job->file.sources[(job->turn + job->file.count - 1) % job->file.count].name;
}

/* ---- the transfer ---- */

static void job_on_bytes(void *ctx, nbytes done) {
    struct peer_job *job = ctx;
    if (done <= job->reached) return;
    job->reached = done;
    job->tries = 0;
}

static void job_on_retry(void *ctx, const struct error *err) {
    const struct peer_job *job = ctx;
    log_debug("fleet: %s from '%s': %s", job->file.path, source_of(job), err->text);
}

static bool job_is_watched(void *ctx) {
    (void)ctx;
    return false;
}

/* The machines in turn. */
static bool job_next_source(void *ctx, char **ret_url, char **ret_header) {
    struct peer_job *job = ctx;
    const struct peer_file *file = &job->file;
    const struct peer_source *source = &file->sources[job->turn % file->count];
    if (job->tries++ >= ROUNDS_MAX * file->count) return false;
    job->turn++;
    *ret_url = xstrdup(source->url);
    *ret_header = file->signer.sign(file->signer.ctx, source->name);
    return true;
}

/* "NAME.peer.part" becomes NAME: a download from a hub has files of its own. */
static bool name_file(const struct peer_job *job, const char *way, struct error *err) {
    struct stat st;
    if (!partial_rename(way, err)) return false;
    if (stat(job->path, &st) == 0 || rename(way, job->path) == 0) return true;
    return error_set(err, ERR_IO, "Cannot write %s: %s.", job->path, strerror(errno));
}

static enum fetch_end job_fetch(struct peer_job *job, const char *way, struct hub_task *task) {
    struct hub_environment env = { .plain = true };
    struct hub_file file = { .size = job->file.size };
    struct hub_name name = { 0 };
    struct fetch fetch = { .env = &env,
                           .name = &name,
                           .commit = "",
                           .file = &file,
                           .path = way,
                           .connections = 1,
                           .task = task,
                           .on_bytes = job_on_bytes,
                           .on_retry = job_on_retry,
                           .is_watched = job_is_watched,
                           .next_source = job_next_source,
                           .ctx = job };
    (void)snprintf(file.path, sizeof file.path, "%s", job->file.path);
    memcpy(file.sha256, job->file.sha256, sizeof file.sha256);
    return hub_fetch(&fetch, &job->err);
}

static void job_work(void *ctx, struct hub_task *task) {
    struct peer_job *job = ctx;
    char *way = xasprintf("%s.peer", job->path);
    bool ok = dirs_make_parent(job->path, 0755, &job->err);
    job->end = ok ? job_fetch(job, way, task) : FETCH_FAILED;
    if (job->end == FETCH_DONE && !name_file(job, way, &job->err)) job->end = FETCH_FAILED;
    free(way);
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
              job->file.path, cause.text);
    job->err.retry_after = AGAIN_MS / 1000;
    log_warn("fleet: %s", job->err.text);
}

static void job_on_done(void *ctx) {
    struct peer_job *job = ctx;
    if (job->end == FETCH_DONE) {
        job->state = JOB_INSTALLED;
        log_info("fleet: %s has come from '%s'", job->file.path, source_of(job));
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

bool peer_path_is_safe(const char *path) {
    const char *first = strchr(path, '/'), *second = first ? strchr(first + 1, '/') : NULL;
    size_t len = strlen(path);
    return second && !strchr(second + 1, '/') && hub_path_is_safe(path) && path[0] != '.' &&
           first[1] != '.' && second[1] != '.' && len > 5 &&
           strcmp(path + len - 5, ".gguf") == 0;
}

static struct peer_job *find_job(struct peer_fetches *fetches, const char *path) {
    struct peer_job *job = fetches->jobs;
    while (job && strcmp(job->file.path, path) != 0) job = job->next;
    if (!job || job->state != JOB_FAILED) return job;
    if (clock_boottime() - job->failed_at < AGAIN_MS) return job;
    job_free(job);
    return NULL;
}

static size_t count_running(const struct peer_fetches *fetches) {
    size_t count = 0;
    for (const struct peer_job *job = fetches->jobs; job; job = job->next)
        count += job->state == JOB_RUNNING;
    return count;
}

static bool has_room(const struct peer_fetches *fetches, const struct peer_file *file,
                     struct error *err) {
    nbytes left = disk_free(fetches->models_dir);
    if (file->size <= left && left - file->size >= DISK_KEPT) return true;
    return error_set(err, ERR_DISK_FULL,
                     "%.120s needs %.1f GB and 1 GB to spare; the disk of %.100s has %.1f GB "
                     "free.",
                     file->path, (double)file->size / 1e9, fetches->models_dir,
                     (double)left / 1e9);
}

static bool may_begin(const struct peer_fetches *fetches, const struct peer_file *file,
                      struct error *err) {
    if (!peer_path_is_safe(file->path) || strlen(file->sha256) != HUB_SHA256_SIZE - 1)
        return error_set(err, ERR_NOT_FOUND,
                         "No node has the file in a form that can be "
                         "fetched; copy it by hand.");
    if (count_running(fetches) >= JOBS_MAX) {
        error_set(err, ERR_QUEUE_FULL,
                  "Too many files are being fetched; wait until one has "
                  "come.");
        err->retry_after = 5;
        return false;
    }
    return hub_http_start(err) && has_room(fetches, file, err);
}

static struct peer_job *begin_job(struct peer_fetches *fetches, struct peer_file *file) {
    struct peer_job *job = xcalloc(1, sizeof *job);
    job->owner = fetches;
    job->file = *file;
    *file = (struct peer_file){ 0 };
    job->path = xasprintf("%s/%s", fetches->models_dir, job->file.path);
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

struct peer_waiter *peer_fetch(struct peer_fetches *fetches, struct peer_file *file,
                               struct peer_sink sink, struct error *err) {
    struct peer_job *job = find_job(fetches, file->path);
    struct peer_waiter *waiter = NULL;
    if (job && job->state == JOB_FAILED)
        *err = job->err;
    else if (!job && may_begin(fetches, file, err))
        job = begin_job(fetches, file);
    if (job && job->state != JOB_FAILED) waiter = wait_for(job, sink);
    file_clear(file);
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
