/* SPDX-License-Identifier: MIT */
#include "cli/get_job.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/size.h"
#include "base/xalloc.h"
#include "cli/fields.h"
#include "cli/interrupt.h"
#include "cli/progress.h"

enum { LOOK_EVERY_MS = 100 };

struct following {
    const struct cli *cli;
    const char *id, *name;
    enum get_output output;
    struct progress progress;
    char *told; /* GET_JSON: the last line */
};

static void show_line(struct following *f, yyjson_val *job) {
    struct buf line = BUF_INIT(1 << 20);
    bool ok = json_write_val(job, &line);
    if (ok && (!f->told || strcmp(f->told, buf_str(&line)) != 0)) {
        puts(buf_str(&line));
        fflush(stdout);
        free(f->told);
        f->told = xstrdup(buf_str(&line));
    }
    buf_clear(&line);
}

/* "REPO, 12.30 MB/s, 2:10 left", short enough for a bar beside it. */
static void show_bar(struct following *f, yyjson_val *job) {
    nbytes total = field_bytes(job, "total_size_bytes");
    nbytes done = field_bytes(job, "downloaded_bytes");
    double rate = field_num(job, "bytes_per_second", 0);
    const char *trouble = field_str(job, "error"),
               *slash = strrchr(field_str(job, "model"), '/');
    const char *repo = slash ? slash + 1 : f->name;
    char speed[SIZE_TEXT] = "", label[300];
    if (rate >= 1) size_format((nbytes)rate, speed);
    long left = rate >= 1 ? (long)((double)(total - done) / rate) : 0;
    if (*trouble)
        (void)snprintf(label, sizeof label, "%.200s Trying again", trouble);
    else if (*speed)
        (void)snprintf(label, sizeof label, "%.30s, %s/s, %ld:%02ld left", repo, speed,
                       left / 60, left % 60);
    else
        (void)snprintf(label, sizeof label, "%.30s", repo);
    f->progress.percent = -1; /* the rate is news even where the percentage is none */
    progress_show(&f->progress, label, total ? (double)done / (double)total : 0);
}

static void show_job(struct following *f, yyjson_val *job) {
    if (f->output == GET_JSON) show_line(f, job);
    if (f->output == GET_BAR) show_bar(f, job);
}

static enum cli_exit pause_job(const struct following *f) {
    struct error err;
    char *path = xasprintf("/api/v1/downloads/%s", f->id);
    yyjson_mut_val *root;
    yyjson_mut_doc *body = json_object_new(&root);
    yyjson_mut_obj_add_str(body, root, "status", "paused");
    struct call call = { .method = "PATCH", .path = path, .body = body };
    enum outcome outcome = client_call(f->cli, &call, NULL, &err);
    yyjson_mut_doc_free(body);
    free(path);
    if (outcome != OUTCOME_DONE) return client_fail(outcome, &err);
    return cli_fail(CLI_FAILED, "Paused; `%s get %s` continues it.", f->cli->program, f->name);
}

/* True when the download has ended; then *ret_code. */
static bool has_ended(const struct following *f, yyjson_val *job, enum cli_exit *ret_code) {
    const char *status = field_str(job, "status"), *why = field_str(job, "error");
    if (strcmp(status, "downloading") == 0) return false;
    if (strcmp(status, "completed") == 0) {
        *ret_code = CLI_DONE;
    } else if (strcmp(status, "paused") == 0) {
        *ret_code = cli_fail(CLI_FAILED, "Paused%s%s `%s get %s` continues it.",
                             *why ? ": " : ";", why, f->cli->program, f->name);
    } else {
        *ret_code = cli_fail(CLI_FAILED, "%s", *why ? why : "The download ended.");
    }
    return true;
}

static bool look(struct following *f, enum cli_exit *ret_code) {
    struct error err;
    yyjson_doc *doc = NULL;
    char *path = xasprintf("/api/v1/models/download/status/%s", f->id);
    enum outcome outcome = client_get(f->cli, path, &doc, &err);
    free(path);
    if (outcome != OUTCOME_DONE) {
        progress_clear(&f->progress);
        *ret_code = client_fail(outcome, &err);
        return true;
    }
    show_job(f, yyjson_doc_get_root(doc));
    yyjson_val *job = yyjson_doc_get_root(doc);
    bool running = strcmp(field_str(job, "status"), "downloading") == 0;
    if (!running) progress_clear(&f->progress);
    bool ended = has_ended(f, job, ret_code);
    yyjson_doc_free(doc);
    return ended;
}

enum cli_exit get_job_follow(const struct cli *cli, const char *id, const char *name,
                             enum get_output output) {
    struct following f = { .cli = cli, .id = id, .name = name, .output = output };
    struct pollfd interrupt = { .fd = interrupt_open(), .events = POLLIN };
    enum cli_exit code = CLI_FAILED;
    while (!look(&f, &code)) {
        if (poll(&interrupt, 1, LOOK_EVERY_MS) <= 0) continue;
        interrupt_drain(interrupt.fd);
        progress_clear(&f.progress);
        code = pause_job(&f);
        break;
    }
    interrupt_close(interrupt.fd);
    free(f.told);
    return code;
}
