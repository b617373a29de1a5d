/* SPDX-License-Identifier: MIT */
#include "hub/download_job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/dirs.h"
#include "base/file.h"
#include "base/json.h"
#include "base/names.h"
#include "base/xalloc.h"
#include "hub/hub_fetch.h"
#include "hub/partial_file.h"

enum { RECORD_MAX = 8 << 20, FILES_MAX = 2000, RATE_SPAN_MS = 1000, WATCHED_MS = 30000 };

static const char *const status_names[DOWNLOAD_STATUS_COUNT] = {
    [DOWNLOAD_RUNNING] = "downloading",
    [DOWNLOAD_PAUSED] = "paused",
    [DOWNLOAD_COMPLETED] = "completed",
    [DOWNLOAD_FAILED] = "failed",
    [DOWNLOAD_ALREADY] = "already_downloaded",
    [DOWNLOAD_PLANNED] = "planned",
    [DOWNLOAD_REMOVED] = "removed",
};

const char *download_status_name(enum download_status status) {
    return status_names[status];
}

/* ---- its life ---- */

struct download_job *download_job_new(const char *id, struct hub_plan *plan,
                                      struct hub_environment *env, const char *state_dir,
                                      const char *models_dir) {
    struct download_job *job = xcalloc(1, sizeof *job);
    (void)snprintf(job->id, sizeof job->id, "%s", id);
    job->plan = *plan;
    job->env = *env;
    *plan = (struct hub_plan){ 0 };
    *env = (struct hub_environment){ 0 };
    job->repo = xasprintf("%s/%s", job->plan.name.owner, job->plan.name.repo);
    job->record = xasprintf("%s/downloads/%s.json", state_dir, id);
    job->folder = xasprintf("%s/%s", models_dir, job->repo);
    job->started_at = clock_unix();
    uv_mutex_init(&job->lock);
    return job;
}

void download_job_free(struct download_job *job) {
    hub_plan_clear(&job->plan);
    hub_environment_clear(&job->env);
    uv_mutex_destroy(&job->lock);
    free(job->record);
    free(job->folder);
    free(job->repo);
    free(job);
}

/* The file's place here: LM Studio's layout has no folders below the repository's. */
static char *place_of(const struct download_job *job, size_t file) {
    return xasprintf("%s/%s", job->folder, path_name(job->plan.files[file].path));
}

static bool is_there(const char *path, nbytes size) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && (nbytes)st.st_size == size;
}

nbytes download_job_on_disk(const struct download_job *job, bool *ret_whole) {
    nbytes done = 0;
    struct stat st;
    *ret_whole = true;
    for (size_t i = 0; i < job->plan.count; i++) {
        char *path = place_of(job, i);
        char *part = xasprintf("%s.part", path);
        bool whole = is_there(path, job->plan.files[i].size);
        if (whole)
            done += job->plan.files[i].size;
        else if (stat(part, &st) == 0 && (nbytes)st.st_size <= job->plan.files[i].size)
            done += (nbytes)st.st_size;
        *ret_whole = *ret_whole && whole;
        free(part);
        free(path);
    }
    return done;
}

void download_job_delete(struct download_job *job) {
    for (size_t i = 0; i < job->plan.count; i++) {
        char *path = place_of(job, i);
        partial_remove(path);
        free(path);
    }
    (void)rmdir(job->folder); /* if nothing else is in it */
    (void)unlink(job->record);
}

/* ---- its record ---- */

static void add_plan(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct hub_plan *plan) {
    yyjson_mut_obj_add_str(doc, root, "commit", plan->commit);
    yyjson_mut_obj_add_str(doc, root, "quantization", plan->quantization);
    yyjson_mut_val *files = yyjson_mut_obj_add_arr(doc, root, "files");
    for (size_t i = 0; i < plan->count; i++) {
        yyjson_mut_val *file = yyjson_mut_arr_add_obj(doc, files);
        yyjson_mut_obj_add_str(doc, file, "path", plan->files[i].path);
        yyjson_mut_obj_add_uint(doc, file, "size", plan->files[i].size);
        yyjson_mut_obj_add_str(doc, file, "sha256", plan->files[i].sha256);
    }
}

static void add_progress(yyjson_mut_doc *doc, yyjson_mut_val *root, struct download_job *job) {
    uv_mutex_lock(&job->lock);
    yyjson_mut_obj_add_str(doc, root, "status", download_status_name(job->status));
    yyjson_mut_obj_add_int(doc, root, "completed_at", job->completed_at);
    if (job->err.code) yyjson_mut_obj_add_strcpy(doc, root, "error", job->err.text);
    uv_mutex_unlock(&job->lock);
}

static bool record_write(struct download_job *job, struct error *err) {
    struct buf text = BUF_INIT(RECORD_MAX);
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_obj_add_str(doc, root, "id", job->id);
    yyjson_mut_obj_add_str(doc, root, "repo", job->repo);
    yyjson_mut_obj_add_int(doc, root, "started_at", job->started_at);
    add_plan(doc, root, &job->plan);
    add_progress(doc, root, job);
    bool ok = json_write(doc, &text) &&
              file_replace(job->record, buf_str(&text), text.len, err);
    yyjson_mut_doc_free(doc);
    buf_clear(&text);
    return ok;
}

static bool copy_str(yyjson_val *obj, const char *name, char *ret, size_t size) {
    const char *text = json_find_str(obj, name);
    if (!text || strlen(text) >= size) return false;
    (void)snprintf(ret, size, "%s", text);
    return true;
}

static bool read_files(yyjson_val *files, struct hub_plan *plan) {
    yyjson_val *entry;
    size_t i, max;
    if (yyjson_arr_size(files) == 0 || yyjson_arr_size(files) > FILES_MAX) return false;
    plan->files = xcalloc(yyjson_arr_size(files), sizeof *plan->files);
    yyjson_arr_foreach(files, i, max, entry) {
        struct hub_file *file = &plan->files[plan->count++];
        file->size = yyjson_get_uint(yyjson_obj_get(entry, "size"));
        if (!copy_str(entry, "path", file->path, sizeof file->path) ||
            !copy_str(entry, "sha256", file->sha256, sizeof file->sha256) ||
            !hub_path_is_safe(file->path) || file->size > INT64_MAX / FILES_MAX)
            return false;
        plan->bytes += file->size;
    }
    return true;
}

static bool read_plan(yyjson_val *root, struct hub_plan *plan) {
    const char *repo = json_find_str(root, "repo");
    return repo && hub_name_parse(repo, &plan->name) &&
           copy_str(root, "commit", plan->commit, sizeof plan->commit) &&
           hub_path_is_safe(plan->commit) &&
           copy_str(root, "quantization", plan->quantization, sizeof plan->quantization) &&
           read_files(yyjson_obj_get(root, "files"), plan);
}

static enum download_status read_status(yyjson_val *root) {
    const char *name = json_find_str(root, "status");
    for (int i = 0; name && i < DOWNLOAD_STATUS_COUNT; i++) {
        if (strcmp(name, status_names[i]) == 0) return (enum download_status)i;
    }
    return DOWNLOAD_PAUSED;
}

struct download_job *download_job_read(const char *path, struct hub_environment *env,
                                       const char *state_dir, const char *models_dir) {
    struct buf text = BUF_INIT(RECORD_MAX);
    struct error ignored;
    struct hub_plan plan = { 0 };
    struct download_job *job = NULL;
    char id[DOWNLOAD_ID_SIZE];
    yyjson_doc *doc = NULL;
    if (file_read(path, &text, &ignored))
        doc = json_parse_object(buf_str(&text), text.len, &ignored);
    yyjson_val *root = yyjson_doc_get_root(doc);
    if (root && copy_str(root, "id", id, sizeof id) && hub_path_is_safe(id) &&
        read_plan(root, &plan)) {
        job = download_job_new(id, &plan, env, state_dir, models_dir);
        const char *why = json_find_str(root, "error");
        bool whole;
        job->started_at = yyjson_get_sint(yyjson_obj_get(root, "started_at"));
        job->completed_at = yyjson_get_sint(yyjson_obj_get(root, "completed_at"));
        job->status = read_status(root);
        job->listed = job->status == DOWNLOAD_COMPLETED;
        job->done = download_job_on_disk(job, &whole);
        if (why) error_set(&job->err, ERR_IO, "%s", why);
    }
    hub_plan_clear(&plan);
    yyjson_doc_free(doc);
    buf_clear(&text);
    return job;
}

/* ---- how far it is ---- */

static void set_end(struct download_job *job, enum download_status status,
                    const struct error *err) {
    uv_mutex_lock(&job->lock);
    job->status = status;
    job->rate = 0;
    job->err = err ? *err : (struct error){ 0 };
    if (status == DOWNLOAD_COMPLETED) job->completed_at = clock_unix();
    job->listed = false;
    job->changed = true;
    uv_mutex_unlock(&job->lock);
}

void download_job_set_status(struct download_job *job, enum download_status status) {
    set_end(job, status, NULL);
}

enum download_status download_job_status(struct download_job *job) {
    uv_mutex_lock(&job->lock);
    enum download_status status = job->status;
    uv_mutex_unlock(&job->lock);
    return status;
}

/* The rate of the last second counts for a third. */
static void rate_add(struct download_job *job, msec now) {
    if (job->rate_at == 0 || job->done < job->rate_done) {
        job->rate_at = now;
        job->rate_done = job->done;
    }
    msec span = now - job->rate_at;
    if (span < RATE_SPAN_MS) return;
    double newest = (double)(job->done - job->rate_done) * 1000 / (double)span;
    job->rate = job->rate > 0 ? (2 * job->rate + newest) / 3 : newest;
    job->rate_at = now;
    job->rate_done = job->done;
}

static void set_done(struct download_job *job, nbytes done) {
    msec now = clock_boottime();
    uv_mutex_lock(&job->lock);
    job->changed = job->changed || job->done != done;
    job->done = done;
    job->err = (struct error){ 0 };
    rate_add(job, now);
    uv_mutex_unlock(&job->lock);
}

/* A listener may load the model as soon as it is told of the completion. */
static enum download_status status_to_show(const struct download_job *job) {
    bool waits = job->status == DOWNLOAD_COMPLETED && !job->listed;
    return waits ? DOWNLOAD_RUNNING : job->status;
}

bool download_job_has_file(const struct download_job *job, const char *path) {
    char *first = place_of(job, 0);
    bool same = strcmp(first, path) == 0;
    free(first);
    return same;
}

void download_job_set_listed(struct download_job *job) {
    uv_mutex_lock(&job->lock);
    job->listed = true;
    job->changed = true;
    uv_mutex_unlock(&job->lock);
}

bool download_job_view(struct download_job *job, bool watched, struct download_view *ret) {
    uv_mutex_lock(&job->lock);
    if (watched) job->watched_at = clock_boottime();
    *ret = (struct download_view){
        .id = job->id,
        .repo = job->repo,
        .quantization = job->plan.quantization,
        .folder = job->folder,
        .files = job->plan.files,
        .file_count = job->plan.count,
        .status = status_to_show(job),
        .total = job->plan.bytes,
        .done = job->done,
        .rate = job->rate,
        .started_at = job->started_at,
        .completed_at = job->completed_at,
        .error = job->err.code ? job->err.text : NULL,
    };
    bool changed = job->changed;
    job->changed = false;
    uv_mutex_unlock(&job->lock);
    return changed;
}

/* ---- the work ---- */

/* One file of the job. */
struct part {
    struct download_job *job;
    nbytes before; /* bytes of the files before it */
};

static void part_on_bytes(void *ctx, nbytes done) {
    const struct part *part = ctx;
    set_done(part->job, part->before + done);
}

static void part_on_retry(void *ctx, const struct error *err) {
    struct download_job *job = ((const struct part *)ctx)->job;
    uv_mutex_lock(&job->lock);
    job->err = *err;
    job->rate = 0;
    job->changed = true;
    uv_mutex_unlock(&job->lock);
}

static bool part_is_watched(void *ctx) {
    struct download_job *job = ((const struct part *)ctx)->job;
    msec now = clock_boottime();
    uv_mutex_lock(&job->lock);
    bool watched = job->watched_at != 0 && now - job->watched_at < WATCHED_MS;
    uv_mutex_unlock(&job->lock);
    return watched;
}

static enum fetch_end fetch_file(struct download_job *job, size_t index, nbytes before,
                                 struct hub_task *task, struct error *err) {
    struct part part = { job, before };
    char *path = place_of(job, index);
    struct fetch fetch = { .env = &job->env,
                           .name = &job->plan.name,
                           .commit = job->plan.commit,
                           .file = &job->plan.files[index],
                           .path = path,
                           .connections = job->connections,
                           .task = task,
                           .on_bytes = part_on_bytes,
                           .on_retry = part_on_retry,
                           .is_watched = part_is_watched,
                           .ctx = &part };
    bool there = is_there(path, job->plan.files[index].size);
    enum fetch_end end = there ? FETCH_DONE : hub_fetch(&fetch, err);
    free(path);
    return end;
}

static enum fetch_end fetch_all(struct download_job *job, struct hub_task *task,
                                struct error *err) {
    nbytes before = 0;
    if (!dirs_make(job->folder, 0755, err)) return FETCH_FAILED;
    for (size_t i = 0; i < job->plan.count; i++) {
        enum fetch_end end = fetch_file(job, i, before, task, err);
        if (end != FETCH_DONE) return end;
        before += job->plan.files[i].size;
        set_done(job, before);
    }
    return FETCH_DONE;
}

/* All files are there: give them their names, the model's first file last, so that nobody sees
 * half a model. */
static bool name_files(struct download_job *job, struct error *err) {
    for (size_t i = job->plan.count; i-- > 0;) {
        char *path = place_of(job, i);
        bool ok = is_there(path, job->plan.files[i].size) || partial_rename(path, err);
        free(path);
        if (!ok) return false;
    }
    return true;
}

void download_job_work(void *ctx, struct hub_task *task) {
    struct download_job *job = ctx;
    struct error err = { 0 };
    enum fetch_end end = record_write(job, &err) ? fetch_all(job, task, &err) : FETCH_FAILED;
    if (end == FETCH_DONE && !name_files(job, &err)) end = FETCH_FAILED;
    switch (end) {
    case FETCH_DONE:
        set_end(job, DOWNLOAD_COMPLETED, NULL);
        break;
    case FETCH_STOPPED: /* its status was set when it was stopped */
        break;
    case FETCH_FULL:
        set_end(job, DOWNLOAD_PAUSED, &err);
        break;
    case FETCH_FAILED:
        set_end(job, DOWNLOAD_FAILED, &err);
        break;
    }
    struct error ignored;
    (void)record_write(job, &ignored); /* on a full disk the old one says "downloading" */
}
