/* SPDX-License-Identifier: MIT */
/*
 * download_job.h - one download: a plan, the folder it goes to, and how far it is. Its record,
 * STATE/downloads/ID.json, survives the daemon.
 *
 * The loop owns a job; the thread of its task works on it. What both touch is behind its lock.
 */
#ifndef DOZE_HUB_DOWNLOAD_JOB_H
#define DOZE_HUB_DOWNLOAD_JOB_H

#include "hub/download.h"
#include "hub/hub_plan.h"

struct download_job {
    struct download_job *next;
    char id[DOWNLOAD_ID_SIZE];
    char *record; /* path of the record */
    char *folder; /* where the files go */
    char *repo;   /* "owner/repo" */
    struct hub_plan plan;
    struct hub_environment env; /* as it was when the job began */
    int connections;            /* for a large file */
    msec started_at;            /* Unix ms */
    struct hub_task *task;      /* NULL: nothing works on it */
    int scans;                  /* of the model folders that have not seen it, completed */
    bool again;                 /* run it again when its task, which was stopped, has ended */
    bool removed;               /* free it, and what it has fetched, when its task has ended */

    uv_mutex_t lock; /* of what follows */
    enum download_status status;
    nbytes done; /* bytes that are there */
    double rate; /* bytes a second */
    nbytes rate_done;
    msec rate_at;      /* when there were rate_done */
    msec watched_at;   /* boot time: when somebody last asked how far it is */
    msec completed_at; /* Unix ms */
    struct error err;  /* why it failed or waits; code 0: neither */
    bool listed;       /* the catalog has it, after DOWNLOAD_COMPLETED */
    bool changed;      /* since download_job_view was last called */
};

/* Takes the plan and the environment. state_dir: where downloads/ is; models_dir: where
 * owner/repo/ is. */
struct download_job *download_job_new(const char *id, struct hub_plan *plan,
                                      struct hub_environment *env, const char *state_dir,
                                      const char *models_dir);
void download_job_free(struct download_job *job);

/* From a record; NULL if it is none, or damaged. */
struct download_job *download_job_read(const char *path, struct hub_environment *env,
                                       const char *state_dir, const char *models_dir);

/* Do the work until it is done, stopped or failed: the `work` of its task. */
void download_job_work(void *ctx, struct hub_task *task);

/* Bytes that are on the disk already; asks the disk. *ret_whole: all files are there. */
nbytes download_job_on_disk(const struct download_job *job, bool *ret_whole);

/* Delete what has been fetched of files that are not complete, and the record. */
void download_job_delete(struct download_job *job);

void download_job_set_status(struct download_job *job, enum download_status status);
enum download_status download_job_status(struct download_job *job);

/* Is this the path of its model's first file, once it is completed? */
bool download_job_has_file(const struct download_job *job, const char *path);
/* The catalog has been read since it was completed. Until then it is shown as running. */
void download_job_set_listed(struct download_job *job);

/* How far it is; borrows from the job. watched: somebody wants to know. Returns whether it has
 * changed since the last time. */
bool download_job_view(struct download_job *job, bool watched, struct download_view *ret);

#endif
