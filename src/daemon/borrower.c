/* SPDX-License-Identifier: MIT */
#include "daemon/borrower.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "daemon/fleet_node.h"
#include "daemon/lender.h"
#include "daemon/loan_pipe.h"
#include "fleet/fleet_view.h"
#include "fleet/forward.h"
#include "fleet/sealed.h"
#include "supervisor/loans.h"

enum { PENDING_MAX = 4 << 20, ANSWER_MAX = 1 << 16, URL_MAX = 1024 };

struct borrower {
    uv_loop_t *loop;
    struct fleet_node *fleet;
    struct supervisor *supervisor;
};

struct loan {
    struct borrower *borrower;
    struct loan_offer offer;
    struct loan_sink sink;
    struct loan_pipe *pipe;
    struct forward *down, *up; /* NULL: none is under way */
    int status;                /* of the answer to `down`; 0: none yet */
    char id[SEALED_NUMBER_SIZE], number[SEALED_NUMBER_SIZE];
    struct sealed_lane reads, writes;
    bool open;          /* the lender has proved itself */
    struct buf pending; /* of the worker, not sent yet */
    struct buf body;    /* on its way up, sealed */
    struct buf answer;  /* what a refusal says */
    uv_timer_t timer;   /* looks after the lender, and tells of the end */
    int missed;
    bool lost, told;
    struct error why;
};

/* ---- the end ---- */

/* Reported from the loop, because the caller may be in the middle of a transfer. */
static void lose(struct loan *l, const struct error *why);

static void lose_because(struct loan *l, const char *what) {
    struct error err;
    error_set(&err, ERR_WORKER_DIED, "The node '%s', which lends memory to this model, %s",
              l->offer.lender, what);
    lose(l, &err);
}

static void loan_on_timer(uv_timer_t *timer);
static void send_up(struct loan *l);

static void lose(struct loan *l, const struct error *why) {
    if (l->lost) return;
    l->lost = true;
    l->why = *why;
    uv_timer_start(&l->timer, loan_on_timer, 0, 0);
}

static void tell(struct loan *l) {
    if (l->told) return;
    l->told = true;
    log_warn("fleet: %s", l->why.text);
    l->sink.on_lost(l->sink.ctx, &l->why);
}

/* A machine that is frozen or cut off sends nothing, and its connection stays open. */
static void loan_on_timer(uv_timer_t *timer) {
    struct loan *l = timer->data;
    if (l->lost) {
        tell(l);
        return;
    }
    send_up(l);
    bool there = fleet_node_has(l->borrower->fleet, l->offer.lender);
    l->missed = there ? 0 : l->missed + 1;
    if (l->missed >= LOAN_PATIENCE_LOOKS) lose_because(l, "has left the fleet; ask again.");
}

static void loan_on_closed(uv_handle_t *handle) {
    struct loan *l = handle->data;
    sealed_clear(&l->reads);
    sealed_clear(&l->writes);
    buf_clear(&l->pending);
    buf_clear(&l->body);
    buf_clear(&l->answer);
    free(l);
}

static void loan_close(struct loan *l) {
    forward_cancel(l->down);
    forward_cancel(l->up);
    loan_pipe_close(l->pipe);
    uv_close((uv_handle_t *)&l->timer, loan_on_closed);
}

/* ---- requests ---- */

static char *url_of(const struct loan *l, const char *path) {
    char key[FLEET_NODE_SIZE + 8];
    struct buf url = BUF_INIT(URL_MAX);
    if (!fleet_node_is_on(l->borrower->fleet)) return NULL;
    (void)snprintf(key, sizeof key, "nodes/%s", l->offer.lender);
    const char *base = json_find_str(
        fleet_table_find(fleet_node_table(l->borrower->fleet), key), "url");
    size_t len = base ? strlen(base) : 0;
    while (len > 0 && base[len - 1] == '/') len--;
    if (!base || !buf_add(&url, base, len) || !buf_add_str(&url, path)) {
        buf_clear(&url);
        return NULL;
    }
    return buf_take(&url);
}

/* NULL: the lender is no longer in the list. The body stays the caller's. */
static struct forward *post(struct loan *l, const char *path, const char *type,
                            const struct buf *body, struct forward_sink sink) {
    struct error err;
    struct fleet_node *fleet = l->borrower->fleet;
    struct forwarder *forwarder = fleet_node_forwarder(fleet, &err);
    char *url = url_of(l, path);
    char *pass = url ? fleet_node_make_pass(fleet, l->offer.lender, "POST", path) : NULL;
    struct forward *sent = NULL;
    if (forwarder && pass) {
        struct forward_field fields[] = { { "Content-Type", type },
                                          { FLEET_HOP_HEADER, "1" },
                                          { FLEET_PASS_HEADER, pass } };
        struct forward_request request = { .method = "POST",
                                           .url = url,
                                           .fields = fields,
                                           .field_count = sizeof fields / sizeof fields[0],
                                           .body = buf_str(body),
                                           .body_len = body->len };
        sent = forward_begin(forwarder, &request, sink);
    }
    free(url);
    free(pass);
    return sent;
}

/* ---- up: what the worker says ---- */

static void loan_on_up_head(void *ctx, const struct forward_head *head) {
    struct loan *l = ctx;
    if (head->status != 204) lose_because(l, "does not take what it is sent; ask again.");
}

static void loan_on_up_bytes(void *ctx, const char *bytes, size_t len) {
    (void)ctx;
    (void)bytes;
    (void)len;
}

static void loan_on_up_end(void *ctx, const struct error *error) {
    struct loan *l = ctx;
    l->up = NULL;
    if (error) lose_because(l, "was lost; ask again.");
    if (!l->lost) send_up(l);
}

/* One request at a time; bytes that come meanwhile go with the next. */
static void send_up(struct loan *l) {
    struct forward_sink sink = { loan_on_up_head, loan_on_up_bytes, loan_on_up_end, l };
    char path[sizeof LOAN_PATH + SEALED_NUMBER_SIZE + 1];
    size_t len = l->pending.len < LOAN_UP_MAX ? l->pending.len : LOAN_UP_MAX;
    if (!l->open || l->up || len == 0 || l->lost) return;
    buf_clear(&l->body);
    buf_init(&l->body, LOAN_BODY_MAX);
    if (!sealed_write(&l->writes, l->pending.data, len, &l->body)) return; /* there is room */
    buf_drop(&l->pending, len);
    (void)snprintf(path, sizeof path, LOAN_PATH "/%s", l->id);
    l->up = post(l, path, "application/octet-stream", &l->body, sink);
    if (!l->up) lose_because(l, "has left the fleet; ask again.");
    if (l->pending.len < PENDING_MAX / 2) loan_pipe_pause(l->pipe, false);
}

static void loan_on_bytes(void *ctx, const char *bytes, size_t len) {
    struct loan *l = ctx;
    (void)buf_add(&l->pending, bytes, len); /* there is room for one read more */
    if (l->pending.len >= PENDING_MAX) loan_pipe_pause(l->pipe, true);
    send_up(l);
}

/* ---- down: what the lender's worker says ---- */

static void open_lanes(struct loan *l, const char *lender_number) {
    struct sealed_terms terms = { .secret = fleet_node_key(l->borrower->fleet),
                                  .lane = "up",
                                  .borrower = fleet_node_name(l->borrower->fleet),
                                  .lender = l->offer.lender,
                                  .borrower_number = l->number,
                                  .lender_number = lender_number };
    sealed_init(&l->writes, &terms);
    terms.lane = "down";
    sealed_init(&l->reads, &terms);
}

static const char *field_of(const struct forward_head *head, const char *name) {
    for (size_t i = 0; i < head->field_count; i++) {
        if (strcasecmp(head->fields[i].name, name) == 0) return head->fields[i].value;
    }
    return "";
}

static void loan_on_head(void *ctx, const struct forward_head *head) {
    struct loan *l = ctx;
    const char *id = field_of(head, LOAN_ID_HEADER);
    const char *number = field_of(head, LOAN_NUMBER_HEADER);
    l->status = head->status;
    if (head->status != 200) return;
    if (!sealed_is_number(id) || !sealed_is_number(number)) {
        lose_because(l, "does not answer as a lender does; install the same doze on both.");
        return;
    }
    (void)snprintf(l->id, sizeof l->id, "%s", id);
    open_lanes(l, number);
}

/* The first byte is not for the worker. */
static void take(struct loan *l, struct buf *plain) {
    if (!l->open && plain->len > 0) {
        l->open = true;
        buf_drop(plain, 1);
        uv_timer_start(&l->timer, loan_on_timer, 0, LOAN_LOOK_MS); /* not from a transfer */
    }
    if (plain->len == 0) return;
    loan_pipe_write(l->pipe, plain);
    if (loan_pipe_untaken(l->pipe) >= LOAN_PIPE_FULL) forward_pause(l->down, true);
}

static void loan_on_down(void *ctx, const char *bytes, size_t len) {
    struct loan *l = ctx;
    struct buf plain = BUF_INIT(1 << 20);
    if (l->lost) return;
    if (l->status != 200) {
        (void)buf_add(&l->answer, bytes, len); /* of a long one maybe not all */
    } else if (sealed_read(&l->reads, bytes, len, &plain)) {
        take(l, &plain);
    } else {
        lose_because(l, "has another fleet key, or somebody changes what it says; set the same "
                        "fleet.key on all nodes.");
    }
    buf_clear(&plain);
}

static void loan_on_taken(void *ctx) {
    struct loan *l = ctx;
    if (l->down) forward_pause(l->down, false);
}

static void loan_on_pipe_end(void *ctx) {
    (void)ctx; /* the supervisor sees that its worker is gone */
}

/* OpenAI's form of errors. */
static void lose_refused(struct loan *l) {
    struct error err;
    yyjson_doc *doc = yyjson_read(buf_str(&l->answer), l->answer.len, 0);
    yyjson_val *error = yyjson_obj_get(yyjson_doc_get_root(doc), "error");
    const char *text = json_find_str(error, "message");
    error_set(&err, l->status >= 500 ? ERR_NO_MEMORY : ERR_LOAD_FAILED,
              "The node '%s' does not lend the memory that this model lacks here: %s",
              l->offer.lender, text ? text : "it does not say why.");
    yyjson_doc_free(doc);
    lose(l, &err);
}

static void loan_on_end(void *ctx, const struct error *error) {
    struct loan *l = ctx;
    l->down = NULL;
    if (!error && l->status != 200)
        lose_refused(l);
    else if (error)
        lose_because(l, "was lost; ask again.");
    else
        lose_because(l, "took its memory back; ask again.");
}

/* ---- for the supervisor ---- */

static bool borrower_find(void *ctx, nbytes need, nbytes own, struct loan_offer *ret) {
    const struct borrower *b = ctx;
    struct fleet_question q = { .name = "" };
    struct fleet_view view;
    struct placement_loan loan;
    bool found = false;
    if (!fleet_node_is_on(b->fleet)) return false;
    fleet_node_ask(b->fleet, &q);
    if (fleet_view_make(fleet_node_table(b->fleet), &q, &view))
        found = placement_loan(&view.table, view.table.here, need, own, q.now, &loan);
    if (found) {
        *ret = (struct loan_offer){ .bytes = loan.bytes, .part = loan.part };
        (void)snprintf(ret->lender, sizeof ret->lender, "%s", view.nodes[loan.lender].name);
    }
    fleet_view_clear(&view);
    return found;
}

static void format_wish(const struct loan *l, struct buf *out) {
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_obj_add_uint(doc, root, "bytes", l->offer.bytes);
    yyjson_mut_obj_add_str(doc, root, "engine", DOZE_ENGINE_VERSION);
    yyjson_mut_obj_add_str(doc, root, "number", l->number);
    json_write_end(doc, out);
}

static bool ask(struct loan *l, struct error *err) {
    struct forward_sink sink = { loan_on_head, loan_on_down, loan_on_end, l };
    format_wish(l, &l->body);
    l->down = post(l, LOAN_PATH, "application/json", &l->body, sink);
    return l->down || error_set(err, ERR_LOAD_FAILED,
                                "The node '%s', which is to lend memory, has left the fleet.",
                                l->offer.lender);
}

static struct loan *borrower_open(void *ctx, const struct loan_offer *offer,
                                  struct loan_sink sink, int *ret_fd, struct error *err) {
    struct borrower *b = ctx;
    struct loan *l = xcalloc(1, sizeof *l);
    struct loan_pipe_events events = { loan_on_bytes, loan_on_taken, loan_on_pipe_end, l };
    int fd = -1;
    *l = (struct loan){ .borrower = b, .offer = *offer, .sink = sink };
    sealed_draw(l->number);
    buf_init(&l->pending, PENDING_MAX + ANSWER_MAX);
    buf_init(&l->body, ANSWER_MAX);
    buf_init(&l->answer, ANSWER_MAX);
    uv_timer_init(b->loop, &l->timer);
    l->timer.data = l;
    uv_timer_start(&l->timer, loan_on_timer, LOAN_LOOK_MS, LOAN_LOOK_MS);
    l->pipe = loan_pipe_open(b->loop, events, &fd, err);
    if (l->pipe && ask(l, err)) {
        *ret_fd = fd;
        return l;
    }
    if (l->pipe) (void)close(fd);
    loan_close(l);
    return NULL;
}

/* ---- all ---- */

struct borrower *borrower_new(uv_loop_t *loop, struct fleet_node *fleet,
                              struct supervisor *supervisor) {
    struct borrower *b = xcalloc(1, sizeof *b);
    b->loop = loop;
    b->fleet = fleet;
    b->supervisor = supervisor;
    borrower_settings_changed(b);
    return b;
}

void borrower_settings_changed(struct borrower *b) {
    struct loans loans = { borrower_find, borrower_open, loan_close, b };
    struct loans none = { .close = loan_close };
    if (!b) return;
    bool on = fleet_node_is_on(b->fleet) && *fleet_node_key(b->fleet);
    supervisor_set_loans(b->supervisor, on ? &loans : &none);
}

void borrower_free(struct borrower *b) {
    free(b);
}
