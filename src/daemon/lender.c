/* SPDX-License-Identifier: MIT */
#include "daemon/lender.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/size.h"
#include "base/xalloc.h"
#include "daemon/fleet_node.h"
#include "daemon/loan_pipe.h"
#include "fleet/fleet_table.h"
#include "fleet/sealed.h"
#include "http/server.h"
#include "supervisor/lending.h"

struct lender {
    uv_loop_t *loop;
    struct fleet_node *fleet;
    struct supervisor *supervisor;
    struct lent *first;
};

/* One loan. */
struct lent {
    struct lender *lender;
    struct lent *next;
    char id[SEALED_NUMBER_SIZE], number[SEALED_NUMBER_SIZE];
    char borrower[FLEET_NODE_SIZE], theirs[SEALED_NUMBER_SIZE];
    nbytes bytes;
    struct exchange *down; /* the stream to the borrower */
    struct exchange *up;   /* the request whose bytes the worker takes; NULL: none */
    bool begun;            /* the stream */
    struct sealed_lane reads, writes;
    struct loan_pipe *pipe;
    struct lending *lending;
    uv_timer_t look;
    int missed; /* looks in which the borrower was not there */
};

/* ---- the end ---- */

static void lent_on_closed(uv_handle_t *handle) {
    free(handle->data);
}

static void unlink_lent(struct lent *l) {
    struct lent **link = &l->lender->first;
    while (*link != l) link = &(*link)->next;
    *link = l->next;
}

/* Both exchanges are over. */
static void lent_free(struct lent *l) {
    unlink_lent(l);
    lending_end(l->lending);
    loan_pipe_close(l->pipe);
    sealed_clear(&l->reads);
    sealed_clear(&l->writes);
    uv_close((uv_handle_t *)&l->look, lent_on_closed);
}

static void end_up(struct lent *l) {
    struct error over;
    if (!l->up) return;
    error_set(&over, ERR_NOT_FOUND, "The loan of memory is over.");
    exchange_fail(l->up, &over);
    l->up = NULL;
}

/* why: a sentence for the log. clean: the borrower is told that it ends, not that it broke. */
static void finish(struct lent *l, const char *why, bool clean) {
    log_info("fleet: the memory lent to '%s' is back: %s", l->borrower, why);
    end_up(l);
    if (clean)
        exchange_end(l->down);
    else
        exchange_abort(l->down);
    lent_free(l);
}

static void lent_on_gone(void *ctx) {
    struct lent *l = ctx;
    log_info("fleet: the memory lent to '%s' is back: it has left", l->borrower);
    end_up(l);
    lent_free(l);
}

static void lent_on_up_gone(void *ctx) {
    struct lent *l = ctx;
    l->up = NULL;
}

static void lent_on_look(uv_timer_t *timer) {
    struct lent *l = timer->data;
    l->missed = fleet_node_has(l->lender->fleet, l->borrower) ? 0 : l->missed + 1;
    if (l->missed >= LOAN_PATIENCE_LOOKS && l->begun)
        finish(l, "it is no longer a node of the fleet", false);
}

/* ---- the bytes ---- */

static void lent_on_bytes(void *ctx, const char *bytes, size_t len) {
    struct lent *l = ctx;
    struct buf out = BUF_INIT(1 << 20);
    if (sealed_write(&l->writes, bytes, len, &out)) exchange_write(l->down, out.data, out.len);
    buf_clear(&out);
}

static void lent_on_pressure(void *ctx, bool paused) {
    struct lent *l = ctx;
    loan_pipe_pause(l->pipe, paused);
}

static void lent_on_taken(void *ctx) {
    struct lent *l = ctx;
    if (l->up) exchange_reply(l->up, 204, NULL, NULL, 0);
    l->up = NULL;
}

/* The worker's own end says why (lent_on_over). */
static void lent_on_pipe_end(void *ctx) {
    (void)ctx;
}

static void lent_on_over(void *ctx, const struct error *why) {
    struct lent *l = ctx;
    l->lending = NULL;
    if (l->begun) {
        finish(l, why->text, true);
        return;
    }
    exchange_fail(l->down, why);
    lent_free(l);
}

static void lent_on_ready(void *ctx) {
    struct lent *l = ctx;
    char size[SIZE_TEXT];
    size_format(l->bytes, size);
    log_info("fleet: lends %s to '%s'", size, l->borrower);
    l->begun = true;
    exchange_add_header(l->down, LOAN_ID_HEADER, l->id);
    exchange_add_header(l->down, LOAN_NUMBER_HEADER, l->number);
    exchange_begin(l->down, 200, "application/octet-stream");
    lent_on_bytes(l, "\1", 1); /* proves the key, and that there is an answer */
    loan_pipe_pause(l->pipe, false);
}

/* ---- the requests ---- */

/* The node that asks, which must have the fleet key. */
static bool read_borrower(const struct lender *lender, const struct exchange *x,
                          char ret[FLEET_NODE_SIZE], struct error *err) {
    const char *pass = exchange_header(x, FLEET_PASS_HEADER);
    if (!fleet_node_is_on(lender->fleet) || !pass)
        return error_set(err, ERR_FORBIDDEN, "Memory is lent to nodes of the fleet only.");
    if (!fleet_node_check_pass(lender->fleet, pass, exchange_method(x), exchange_path(x), err))
        return false;
    (void)snprintf(ret, FLEET_NODE_SIZE, "%.*s", (int)strcspn(pass, " "), pass);
    return true;
}

static bool read_wish(struct lent *l, const struct exchange *x, struct error *err) {
    size_t len;
    const char *text = exchange_body(x, &len), *number = "", *engine = "";
    int64_t bytes = 0;
    yyjson_doc *doc = json_parse_object(text, len, err);
    yyjson_val *root = yyjson_doc_get_root(doc);
    bool ok = doc && json_read_int(root, "bytes", 1, INT64_MAX / 2, &bytes, err) &&
              json_read_str(root, "engine", &engine, err) &&
              json_read_str(root, "number", &number, err);
    if (ok && strcmp(engine, DOZE_ENGINE_VERSION) != 0)
        ok = error_set(err, ERR_FORBIDDEN,
                       "This node has llama.cpp of another release, so it lends no memory; "
                       "install the same doze on both.");
    if (ok && !sealed_is_number(number))
        ok = error_set_param(err, ERR_INVALID_REQUEST, "number",
                             "'number' must be 32 digits in hex.");
    if (ok) (void)snprintf(l->theirs, sizeof l->theirs, "%s", number);
    l->bytes = (nbytes)bytes;
    yyjson_doc_free(doc);
    return ok;
}

static void open_lanes(struct lent *l) {
    struct sealed_terms terms = { .secret = fleet_node_key(l->lender->fleet),
                                  .lane = "up",
                                  .borrower = l->borrower,
                                  .lender = fleet_node_name(l->lender->fleet),
                                  .borrower_number = l->theirs,
                                  .lender_number = l->number };
    sealed_init(&l->reads, &terms);
    terms.lane = "down";
    sealed_init(&l->writes, &terms);
}

static bool start_worker(struct lent *l, struct error *err) {
    struct loan_pipe_events events = { lent_on_bytes, lent_on_taken, lent_on_pipe_end, l };
    struct lending_events told = { lent_on_ready, lent_on_over, l };
    int fd = -1;
    l->pipe = loan_pipe_open(l->lender->loop, events, &fd, err);
    if (!l->pipe) return false;
    loan_pipe_pause(l->pipe, true);
    l->lending = supervisor_lend(l->lender->supervisor, l->bytes, fd, told, err);
    (void)close(fd);
    return l->lending != NULL;
}

static struct lent *lent_new(struct lender *lender, struct exchange *x) {
    struct lent *l = xcalloc(1, sizeof *l);
    l->lender = lender;
    l->down = x;
    l->next = lender->first;
    lender->first = l;
    sealed_draw(l->id);
    sealed_draw(l->number);
    uv_timer_init(lender->loop, &l->look);
    l->look.data = l;
    return l;
}

void lender_begin(struct lender *lender, struct exchange *x) {
    struct error err;
    struct lent *l = lent_new(lender, x);
    bool ok = read_borrower(lender, x, l->borrower, &err) && read_wish(l, x, &err);
    if (ok) open_lanes(l);
    if (!ok || !start_worker(l, &err)) {
        exchange_fail(x, &err);
        lent_free(l);
        return;
    }
    exchange_on_gone(x, lent_on_gone, l);
    exchange_on_pressure(x, lent_on_pressure, l);
    uv_timer_start(&l->look, lent_on_look, LOAN_LOOK_MS, LOAN_LOOK_MS);
}

static struct lent *find(const struct lender *lender, const char *id, const char *borrower) {
    struct lent *l = lender->first;
    while (l && (strcmp(l->id, id) != 0 || strcmp(l->borrower, borrower) != 0)) l = l->next;
    return l && l->begun && !l->up ? l : NULL;
}

void lender_take(struct lender *lender, struct exchange *x) {
    struct error err;
    char borrower[FLEET_NODE_SIZE];
    struct buf plain = BUF_INIT(LOAN_BODY_MAX);
    size_t len;
    const char *body = exchange_body(x, &len);
    bool ok = read_borrower(lender, x, borrower, &err);
    struct lent *l = ok ? find(lender, exchange_param(x, "id"), borrower) : NULL;
    if (ok && !l) error_set(&err, ERR_NOT_FOUND, "There is no such loan of memory.");
    if (!l) {
        exchange_fail(x, &err);
        return;
    }
    l->up = x;
    if (!sealed_read(&l->reads, body, len, &plain)) {
        finish(l, "what came was not sealed by it", false);
    } else if (plain.len == 0) {
        lent_on_taken(l);
    } else {
        exchange_drop_body(x);
        exchange_on_gone(x, lent_on_up_gone, l);
        loan_pipe_write(l->pipe, &plain);
    }
    buf_clear(&plain);
}

/* ---- all of them ---- */

struct lender *lender_new(uv_loop_t *loop, struct fleet_node *fleet,
                          struct supervisor *supervisor) {
    struct lender *lender = xcalloc(1, sizeof *lender);
    lender->loop = loop;
    lender->fleet = fleet;
    lender->supervisor = supervisor;
    return lender;
}

void lender_stop(struct lender *lender) {
    struct lent *next;
    for (struct lent *l = lender ? lender->first : NULL; l; l = next) {
        next = l->next;
        if (l->begun) finish(l, "the server stops", true);
    }
}

void lender_close(struct lender *lender) {
    free(lender);
}
