/* SPDX-License-Identifier: MIT */
#include "daemon/history.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"

enum {
    WRITE_AFTER_MS = 2000,
    REST_AFTER_MS = 10000,
    NOTES_MAX = 4096,
    NOTES_MANY = 512, /* written at once */
    READINGS_MAX = 32,
    ANSWER_MAX = 64 << 20,
};

static const struct history_limits limits = { .max_age = 30 * INT64_C(86400000),
                                              .max_bytes = 64 << 20 };

struct history_reading {
    struct history_reading *next;
    struct history_query query;
    struct history_sink sink; /* on_end NULL: nobody waits */
};

struct notes {
    struct history_note *list;
    size_t count, cap;
};

/* The job of a pool thread and its result. */
struct job {
    struct notes notes;
    struct history_reading *reading; /* NULL: none */
    msec now;
    bool wrote, answered, damaged;
    struct error write_error, read_error;
    struct buf answer;
};

struct history {
    uv_timer_t timer; /* until the next batch, or until the file is closed */
    uv_work_t work;
    struct history_store *store;
    char *path;
    struct notes notes; /* not yet written */
    uint64_t lost;      /* since they were last written */
    struct history_reading *readings;
    size_t reading_count;
    struct job job;
    bool working, failing, closing;
    bool open; /* the store may have its file open */
};

static void notes_clear(struct notes *notes) {
    for (size_t i = 0; i < notes->count; i++) free(notes->list[i].json);
    free(notes->list);
    *notes = (struct notes){ 0 };
}

/* ---- on the pool thread ---- */

static void history_work(uv_work_t *work) {
    struct history *h = work->data;
    struct job *job = &h->job;
    job->wrote = job->notes.count == 0 ||
                 history_store_write(h->store, job->notes.list, job->notes.count, job->now,
                                     &job->write_error);
    if (job->reading) {
        job->answered = history_store_read(h->store, &job->reading->query, &job->answer,
                                           &job->read_error);
    } else if (job->notes.count == 0) {
        history_store_rest(h->store);
    }
    job->damaged = history_store_take_damage(h->store);
}

/* ---- on the loop ---- */

static void history_on_job_done(uv_work_t *work, int status);

static struct history_reading *take_reading(struct history *h) {
    struct history_reading *first = h->readings;
    if (!first) return NULL;
    h->readings = first->next;
    h->reading_count--;
    return first;
}

/* Write the waiting notes and answer the first reading; without either, close the file. */
static void start_job(struct history *h) {
    h->working = true;
    h->job = (struct job){ .notes = h->notes,
                           .reading = take_reading(h),
                           .now = clock_unix(),
                           .answer = BUF_INIT(ANSWER_MAX) };
    h->notes = (struct notes){ 0 };
    h->open = h->job.notes.count > 0 || h->job.reading;
    uv_timer_stop(&h->timer);
    uv_queue_work(h->timer.loop, &h->work, history_work, history_on_job_done);
}

static void history_on_timer(uv_timer_t *timer) {
    start_job(timer->data);
}

/* Start what is due, unless a job runs. */
static void go_on(struct history *h) {
    if (h->working) return;
    if (h->readings || h->notes.count >= NOTES_MANY)
        start_job(h);
    else if (h->notes.count > 0)
        uv_timer_start(&h->timer, history_on_timer, WRITE_AFTER_MS, 0);
    else if (h->open)
        uv_timer_start(&h->timer, history_on_timer, REST_AFTER_MS, 0);
}

/* One warning when writing begins to fail, one line when it works again. */
static void tell_writing(struct history *h, const struct job *job) {
    if (job->damaged) {
        log_warn("%s is damaged; it was moved to %s.corrupt and a new history begun", h->path,
                 h->path);
    }
    if (job->notes.count == 0) return;
    if (!job->wrote) {
        h->lost += job->notes.count;
        if (!h->failing) log_warn("the history cannot be written: %s", job->write_error.text);
    } else if (h->lost > 0) {
        log_warn("the history %s; %llu entries are missing",
                 h->failing ? "can be written again" : "is written too slowly",
                 (unsigned long long)h->lost);
        h->lost = 0;
    }
    h->failing = !job->wrote;
}

static void answer(struct job *job) {
    struct history_reading *reading = job->reading;
    if (!reading) return;
    if (reading->sink.on_end) {
        reading->sink.on_end(reading->sink.ctx, job->answered ? &job->answer : NULL,
                             &job->read_error);
    }
    free(reading);
}

static void end(struct history *h) {
    if (h->notes.count > 0 || h->open)
        start_job(h);
    else
        uv_close((uv_handle_t *)&h->timer, NULL);
}

static void history_on_job_done(uv_work_t *work, int status) {
    struct history *h = work->data;
    (void)status; /* never cancelled */
    h->working = false;
    tell_writing(h, &h->job);
    answer(&h->job);
    notes_clear(&h->job.notes);
    buf_clear(&h->job.answer);
    if (h->closing)
        end(h);
    else
        go_on(h);
}

void history_add(struct history *h, enum history_kind kind, const char *json) {
    struct notes *notes = &h->notes;
    if (h->closing || notes->count == NOTES_MAX) {
        h->lost++;
        return;
    }
    if (notes->count == notes->cap) {
        notes->cap = notes->cap ? 2 * notes->cap : 16;
        notes->list = xrealloc(notes->list, notes->cap * sizeof *notes->list);
    }
    notes->list[notes->count++] = (struct history_note){ kind, xstrdup(json) };
    if (notes->count == 1 || notes->count >= NOTES_MANY) go_on(h);
}

struct history_reading *history_read(struct history *h, const struct history_query *query,
                                     struct history_sink sink) {
    if (h->closing || h->reading_count == READINGS_MAX) return NULL;
    struct history_reading *reading = xcalloc(1, sizeof *reading);
    *reading = (struct history_reading){ .query = *query, .sink = sink };
    struct history_reading **last = &h->readings;
    while (*last) last = &(*last)->next;
    *last = reading;
    h->reading_count++;
    go_on(h);
    return reading;
}

void history_forget(struct history_reading *reading) {
    reading->sink.on_end = NULL;
}

struct history *history_new(uv_loop_t *loop, const char *path) {
    struct history *h = xcalloc(1, sizeof *h);
    h->path = xstrdup(path);
    h->store = history_store_new(path, &limits);
    uv_timer_init(loop, &h->timer);
    h->timer.data = h;
    h->work.data = h;
    return h;
}

void history_close(struct history *h) {
    h->closing = true;
    while (h->readings) free(take_reading(h));
    if (h->working && h->job.reading) history_forget(h->job.reading);
    if (!h->working) end(h);
}

void history_free(struct history *h) {
    if (!h) return;
    history_store_free(h->store);
    notes_clear(&h->notes);
    free(h->path);
    free(h);
}
