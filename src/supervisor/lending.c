/* SPDX-License-Identifier: MIT */
#include "supervisor/lending.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/log.h"
#include "base/size.h"
#include "base/xalloc.h"
#include "supervisor/internal.h"

struct lending {
    struct supervisor *sup; /* NULL: it is being freed */
    struct lending *next;
    struct worker *worker;
    nbytes bytes;
    struct lending_events events;
    bool ended; /* nobody is told from now on */
};

nbytes supervisor_lent(const struct supervisor *sup) {
    nbytes sum = 0;
    for (const struct lending *l = sup->lendings; l; l = l->next) sum += l->bytes;
    return sum;
}

nbytes supervisor_lent_private(const struct supervisor *sup) {
    nbytes sum = 0;
    for (const struct lending *l = sup->lendings; l; l = l->next)
        sum += worker_private_bytes(l->worker);
    return sum;
}

/* Besides what instances and parked workers have: none of them leaves for a loan. */
static nbytes free_now(const struct supervisor *sup) {
    nbytes budget = supervisor_memory_budget(sup);
    nbytes used = supervisor_taken(sup) + parked_private_bytes(sup->parked);
    return budget > used ? budget - used : 0;
}

nbytes supervisor_lendable(const struct supervisor *sup) {
    nbytes most = sup->config.settings->fleet.lend_memory, lent = supervisor_lent(sup);
    if (most <= lent || sup->lc.shutting_down) return 0;
    nbytes left = free_now(sup);
    return most - lent < left ? most - lent : left;
}

static void end(struct lending *l, const char *why) {
    struct error err;
    if (l->ended) return;
    l->ended = true;
    error_set(&err, ERR_WORKER_DIED, "%s", why);
    l->events.on_end(l->events.ctx, &err);
}

static void lending_on_frame(void *ctx, struct worker *worker, const struct frame *frame) {
    struct lending *l = ctx;
    struct error failed;
    (void)worker;
    if (l->ended) return;
    if (frame->type == MSG_READY) l->events.on_ready(l->events.ctx);
    if (frame->type != MSG_FAILED) return;
    yyjson_doc *doc = json_parse_object(frame->payload, frame->len, &failed);
    supervisor_read_failure(yyjson_doc_get_root(doc), &failed);
    yyjson_doc_free(doc);
    end(l, failed.text);
}

static void lending_on_line(void *ctx, struct worker *worker, const char *line) {
    (void)ctx;
    (void)worker;
    log_debug("lent memory: %s", line);
}

static void lending_on_gone(void *ctx, struct worker *worker, const char *how) {
    struct lending *l = ctx;
    struct supervisor *sup = l->sup;
    struct lending **link = sup ? &sup->lendings : NULL;
    (void)worker;
    (void)how;
    while (link && *link != l) link = &(*link)->next;
    if (link) *link = l->next;
    end(l, "The process that lent memory has ended.");
    free(l);
    if (sup) supervisor_post(sup, supervisor_budget(sup));
}

static void order(struct lending *l) {
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    struct buf payload = BUF_INIT(256);
    yyjson_mut_obj_add_uint(doc, root, "bytes", l->bytes);
    json_write_end(doc, &payload);
    worker_send(l->worker, MSG_LEND, 0, payload.data, payload.len);
    buf_clear(&payload);
}

struct lending *supervisor_lend(struct supervisor *sup, nbytes bytes, int fd,
                                struct lending_events events, struct error *err) {
    nbytes most = supervisor_lendable(sup);
    char text[SIZE_TEXT];
    size_format(most, text);
    if (sup->config.settings->fleet.lend_memory == 0) {
        error_set(err, ERR_FORBIDDEN, "This node lends no memory: its fleet.lend_memory is 0.");
        return NULL;
    }
    if (bytes > most) {
        error_set(err, ERR_NO_MEMORY, "No more than %s can be lent now.", text);
        return NULL;
    }
    struct lending *l = xcalloc(1, sizeof *l);
    *l = (struct lending){ .sup = sup, .bytes = bytes, .events = events };
    struct worker_owner owner = { lending_on_frame, lending_on_gone, lending_on_line, l };
    l->worker = worker_spawn_lent(sup->config.loop, sup->config.worker_program, fd, &owner,
                                  err);
    if (!l->worker) {
        free(l);
        return NULL;
    }
    l->next = sup->lendings;
    sup->lendings = l;
    order(l);
    supervisor_post(sup, supervisor_budget(sup));
    return l;
}

void lending_end(struct lending *l) {
    if (!l) return;
    l->ended = true;
    worker_kill(l->worker);
}

bool supervisor_take_back(struct supervisor *sup) {
    struct lending *l = sup->lendings;
    while (l && l->ended) l = l->next;
    if (!l) return false;
    end(l, "The node needs the memory itself that it lent.");
    worker_kill(l->worker);
    return true;
}

void supervisor_drop_lendings(struct supervisor *sup) {
    for (struct lending *l = sup->lendings; l; l = l->next) {
        l->sup = NULL;
        l->ended = true;
        worker_kill(l->worker);
    }
    sup->lendings = NULL;
}
