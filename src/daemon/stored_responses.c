/* SPDX-License-Identifier: MIT */
#include "daemon/stored_responses.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"

enum {
    REST_AFTER_MS = 10000,
    ASKING_MAX = 256,
    WAITING_MAX = 64 << 20, /* bytes of responses that wait to be written */
    ANSWER_MAX = 64 << 20,
};

struct response_task {
    struct response_task *next;
    enum response_wish wish;
    char *id;                        /* READ, INPUT, REMOVE */
    char *owner;                     /* who asks; NULL: may see all */
    char *limit, *order, *after;     /* INPUT: of the page; NULL: not given */
    struct past_wanted wanted;       /* FIND */
    struct stored_response response; /* ADD */
    struct response_sink sink;       /* on_end NULL: nobody waits */
    /* what came of it */
    bool ok;
    struct buf json;
    struct error error;
};

struct stored_responses {
    uv_timer_t timer; /* until the file is closed */
    uv_work_t work;
    struct response_store *store;
    char *path;
    struct response_limits limits;
    struct response_task *first, **last; /* waiting */
    struct response_task *task;          /* of the work; NULL: close the file */
    struct response_limits task_limits;
    msec task_now;
    size_t asking, waiting_bytes;
    bool working, failing, full, damaged, closing;
    bool open;    /* the store may have its file open */
    bool limited; /* the store has to get the limits at once */
};

static void task_free(struct response_task *task) {
    free(task->id);
    free(task->owner);
    free(task->limit);
    free(task->order);
    free(task->after);
    past_wanted_clear(&task->wanted);
    stored_response_clear(&task->response);
    buf_clear(&task->json);
    free(task);
}

/* ---- on the pool thread ---- */

/* There may be megabytes of items, of which few are wanted. */
static bool page_read(struct response_store *store, struct response_task *t) {
    struct past_page page = { t->limit, t->order, t->after };
    struct buf items = BUF_INIT(ANSWER_MAX);
    bool ok = response_store_read_input(store, t->id, t->owner, &items, &t->error) &&
              past_format_page(&items, &page, &t->json, &t->error);
    buf_clear(&items);
    return ok;
}

static bool task_perform(struct response_store *store, struct response_task *t, msec now) {
    switch (t->wish) {
    case RESPONSE_ADD:
        return response_store_write(store, &t->response, now, &t->error);
    case RESPONSE_READ:
        return response_store_read(store, t->id, t->owner, &t->json, &t->error);
    case RESPONSE_INPUT:
        return page_read(store, t);
    case RESPONSE_FIND:
        return response_store_find(store, &t->wanted, t->owner, now, &t->json, &t->error);
    case RESPONSE_REMOVE:
        return response_store_remove(store, t->id, t->owner, &t->error);
    }
    return false;
}

static void responses_work(uv_work_t *work) {
    struct stored_responses *s = work->data;
    response_store_limit(s->store, &s->task_limits);
    if (s->task)
        s->task->ok = task_perform(s->store, s->task, s->task_now);
    else
        response_store_rest(s->store);
    s->damaged = response_store_take_damage(s->store);
}

/* ---- on the loop ---- */

static void responses_on_work_done(uv_work_t *work, int status);

static struct response_task *take_first(struct stored_responses *s) {
    struct response_task *task = s->first;
    if (!task) return NULL;
    s->first = task->next;
    if (!s->first) s->last = &s->first;
    if (task->wish != RESPONSE_ADD)
        s->asking--;
    else
        s->waiting_bytes -= task->response.input.len + task->response.body.len;
    return task;
}

static void start_work(struct stored_responses *s) {
    s->working = true;
    s->task = take_first(s);
    s->task_limits = s->limits;
    s->task_now = clock_unix();
    s->open = s->task != NULL;
    s->limited = false;
    uv_timer_stop(&s->timer);
    uv_queue_work(s->timer.loop, &s->work, responses_work, responses_on_work_done);
}

static void responses_on_timer(uv_timer_t *timer) {
    start_work(timer->data);
}

static void go_on(struct stored_responses *s) {
    if (s->working) return;
    if (s->first || s->limited)
        start_work(s);
    else if (s->open)
        uv_timer_start(&s->timer, responses_on_timer, REST_AFTER_MS, 0);
}

static void tell(struct stored_responses *s, const struct response_task *task) {
    if (s->damaged) {
        log_warn("%s is damaged; it was moved to %s.corrupt and a new one begun", s->path,
                 s->path);
    }
    if (!task || task->wish != RESPONSE_ADD) return;
    if (!task->ok && !s->failing)
        log_warn("responses cannot be stored: %s", task->error.text);
    else if (task->ok && s->failing)
        log_warn("responses can be stored again");
    s->failing = !task->ok;
}

static void end(struct stored_responses *s) {
    if (s->first || s->open || s->limited)
        start_work(s);
    else
        uv_close((uv_handle_t *)&s->timer, NULL);
}

static void responses_on_work_done(uv_work_t *work, int status) {
    struct stored_responses *s = work->data;
    struct response_task *task = s->task;
    (void)status; /* never cancelled */
    s->working = false;
    s->task = NULL;
    tell(s, task);
    if (task && task->sink.on_end) {
        task->sink.on_end(task->sink.ctx, task->ok ? &task->json : NULL, &task->error);
    }
    if (task) task_free(task);
    if (s->closing)
        end(s);
    else
        go_on(s);
}

/* ---- the door ---- */

static struct response_task *task_add(struct stored_responses *s, enum response_wish wish) {
    struct response_task *task = xcalloc(1, sizeof *task);
    task->wish = wish;
    buf_init(&task->json, ANSWER_MAX);
    *s->last = task;
    s->last = &task->next;
    return task;
}

void stored_responses_add(struct stored_responses *s, struct stored_response *response) {
    size_t bytes = response->input.len + response->body.len;
    bool full = s->waiting_bytes > 0 && s->waiting_bytes + bytes > WAITING_MAX;
    if (full && !s->full) log_warn("responses are stored too slowly; some will be missing");
    s->full = full;
    if (full || s->closing) {
        stored_response_clear(response);
        return;
    }
    struct response_task *task = task_add(s, RESPONSE_ADD);
    task->response = *response;
    *response = (struct stored_response){ 0 };
    s->waiting_bytes += bytes;
    go_on(s);
}

static char *copy_of(const char *text) {
    return text ? xstrdup(text) : NULL;
}

static struct response_task *ask(struct stored_responses *s, enum response_wish wish,
                                 const char *owner, struct response_sink sink) {
    if (s->closing || s->asking == ASKING_MAX) return NULL;
    struct response_task *task = task_add(s, wish);
    task->owner = copy_of(owner);
    task->sink = sink;
    s->asking++;
    return task;
}

struct response_task *stored_responses_ask(struct stored_responses *s, enum response_wish wish,
                                           const char *id, const char *owner,
                                           struct response_sink sink) {
    struct response_task *task = ask(s, wish, owner, sink);
    if (!task) return NULL;
    task->id = xstrdup(id);
    go_on(s);
    return task;
}

struct response_task *stored_responses_list(struct stored_responses *s, const char *id,
                                            const char *owner, const struct past_page *page,
                                            struct response_sink sink) {
    struct response_task *task = ask(s, RESPONSE_INPUT, owner, sink);
    if (!task) return NULL;
    task->id = xstrdup(id);
    task->limit = copy_of(page->limit);
    task->order = copy_of(page->order);
    task->after = copy_of(page->after);
    go_on(s);
    return task;
}

struct response_task *stored_responses_find(struct stored_responses *s,
                                            struct past_wanted *wanted, const char *owner,
                                            struct response_sink sink) {
    struct response_task *task = ask(s, RESPONSE_FIND, owner, sink);
    if (!task) return NULL;
    task->wanted = *wanted;
    *wanted = (struct past_wanted){ 0 };
    go_on(s);
    return task;
}

void response_task_forget(struct response_task *task) {
    task->sink.on_end = NULL;
}

/* ---- limits ---- */

/* Only a file that is there is touched for it: at the next work, or at once if storing is
 * switched off. */
void stored_responses_limit(struct stored_responses *s, const struct response_limits *limits) {
    bool ended = limits->max_bytes == 0 && s->limits.max_bytes != 0;
    s->limits = *limits;
    s->limited = s->limited || ended;
    if (ended && !s->closing) go_on(s);
}

bool stored_responses_on(const struct stored_responses *s) {
    return s->limits.max_bytes > 0;
}

/* ---- life ---- */

struct stored_responses *stored_responses_new(uv_loop_t *loop, const char *path) {
    struct stored_responses *s = xcalloc(1, sizeof *s);
    s->path = xstrdup(path);
    s->store = response_store_new(path);
    s->last = &s->first;
    uv_timer_init(loop, &s->timer);
    s->timer.data = s;
    s->work.data = s;
    return s;
}

/* Readings are dropped, writes are done. */
void stored_responses_close(struct stored_responses *s) {
    struct response_task *task = s->first;
    s->closing = true;
    for (; task; task = task->next) task->sink.on_end = NULL;
    if (s->task) response_task_forget(s->task);
    if (!s->working) end(s);
}

void stored_responses_free(struct stored_responses *s) {
    if (!s) return;
    response_store_free(s->store);
    free(s->path);
    free(s);
}
