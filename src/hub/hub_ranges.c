/* SPDX-License-Identifier: MIT */
#include "hub/hub_ranges.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/xalloc.h"

/* Piece number n is [from + n * RANGE_PIECE, ...) and lies in pieces[n % RANGE_PIECES]. */
struct piece {
    nbytes at; /* in the file */
    size_t size, have;
    char *bytes;
};

struct transfer {
    const struct hub_ranges *ranges;
    uv_mutex_t lock; /* of what follows */
    uv_cond_t changed;
    struct piece pieces[RANGE_PIECES];
    uint64_t asked, handed, count; /* pieces: asked for, handed on whole, in all */
    bool ended;
    struct hub_response failure; /* the first; not valid before `ended` */
};

/* One request, for one piece. */
struct request {
    struct transfer *transfer;
    struct piece *piece; /* another request's once nothing is left */
    nbytes at;           /* where the piece begins */
    size_t left;         /* bytes of it that have not come */
    bool odd;            /* the answer holds other bytes than those that were asked for */
    bool whole;          /* and is all of the file */
};

/* ---- a connection's thread ---- */

static bool has_ended(struct transfer *t) {
    uv_mutex_lock(&t->lock);
    bool ended = t->ended;
    uv_mutex_unlock(&t->lock);
    return ended;
}

static bool request_is_stopped(void *ctx) {
    struct transfer *t = ((struct request *)ctx)->transfer;
    return has_ended(t) || t->ranges->is_stopped(t->ranges->ctx);
}

/* Under the lock. */
static struct piece *begin_piece(struct transfer *t) {
    struct piece *piece = &t->pieces[t->asked % RANGE_PIECES];
    nbytes at = t->ranges->from + t->asked * RANGE_PIECE, left = t->ranges->end - at;
    piece->at = at;
    piece->size = left < RANGE_PIECE ? (size_t)left : RANGE_PIECE;
    piece->have = 0;
    if (!piece->bytes) piece->bytes = xcalloc(1, RANGE_PIECE);
    t->asked++;
    return piece;
}

/* The next piece that nobody has asked for, once there is room for it; NULL: there is no more
 * work. */
static struct piece *next_piece(struct transfer *t) {
    struct piece *piece = NULL;
    uv_mutex_lock(&t->lock);
    while (!t->ended && t->asked < t->count && t->asked - t->handed >= RANGE_PIECES)
        uv_cond_wait(&t->changed, &t->lock);
    if (!t->ended && t->asked < t->count) piece = begin_piece(t);
    uv_mutex_unlock(&t->lock);
    return piece;
}

static bool request_on_body(void *ctx, const struct hub_response *response, const char *bytes,
                            size_t len) {
    struct request *request = ctx;
    struct piece *piece = request->piece;
    request->whole = response->answer.status == 200;
    if (response->answer.status != 206) return !request->whole;
    request->odd = response->range_begin != request->at || len > request->left;
    if (request->odd) return false;
    request->left -= len;
    memcpy(piece->bytes + piece->have, bytes, len);
    uv_mutex_lock(&request->transfer->lock);
    piece->have += len;
    uv_cond_broadcast(&request->transfer->changed);
    uv_mutex_unlock(&request->transfer->lock);
    return true;
}

static void say_odd(struct hub_response *response) {
    response->answer.status = 0;
    (void)snprintf(response->answer.reason, sizeof response->answer.reason,
                   "the host sends other bytes than it was asked for");
}

static void end_with(struct transfer *t, const struct hub_response *failure) {
    uv_mutex_lock(&t->lock);
    if (!t->ended) t->failure = *failure;
    t->ended = true;
    uv_cond_broadcast(&t->changed);
    uv_mutex_unlock(&t->lock);
}

static void end_without(struct transfer *t, const struct error *err) {
    struct hub_response none = { 0 };
    (void)snprintf(none.answer.reason, sizeof none.answer.reason, "%.120s", err->text);
    end_with(t, &none);
}

/* False: the piece has not come whole, and the transfer has ended. */
static bool get_piece(struct transfer *t, struct hub_http *http, struct piece *piece) {
    struct request request = {
        .transfer = t, .piece = piece, .at = piece->at, .left = piece->size
    };
    struct hub_response response;
    struct hub_call call = { .url = t->ranges->url,
                             .token = t->ranges->token,
                             .from = request.at,
                             .to = request.at + request.left,
                             .on_body = request_on_body,
                             .is_stopped = request_is_stopped,
                             .ctx = &request };
    hub_http_perform(http, &call, &response);
    bool partial = response.answer.status == 206;
    if (partial && request.left == 0) return true;
    if (request.odd || partial) say_odd(&response);
    if (request.whole) response.answer.status = 200;
    end_with(t, &response);
    return false;
}

static void run_connection(void *arg) {
    struct transfer *t = arg;
    struct error err;
    struct piece *piece;
    struct hub_http *http = hub_http_new(t->ranges->env, &err);
    if (!http) {
        end_without(t, &err);
        return;
    }
    while ((piece = next_piece(t)) && get_piece(t, http, piece)) continue;
    hub_http_free(http);
}

/* ---- the caller's thread ---- */

static nbytes bytes_after(const struct transfer *t, uint64_t piece) {
    nbytes bytes = 0;
    for (uint64_t i = piece + 1; i < t->asked; i++) bytes += t->pieces[i % RANGE_PIECES].have;
    return bytes;
}

/* Wait for more than `used` bytes of this piece. Their count; 0: there will be none. */
static size_t wait_for(struct transfer *t, uint64_t number, size_t used, nbytes *ret_waiting) {
    const struct piece *piece = &t->pieces[number % RANGE_PIECES];
    size_t have = 0;
    uv_mutex_lock(&t->lock);
    for (;;) {
        have = t->asked > number ? piece->have : 0;
        if (have > used || t->ended) break;
        uv_cond_wait(&t->changed, &t->lock);
    }
    *ret_waiting = bytes_after(t, number);
    uv_mutex_unlock(&t->lock);
    return have > used ? have - used : 0;
}

static bool hand_on(struct transfer *t, uint64_t number) {
    const struct piece *piece = &t->pieces[number % RANGE_PIECES];
    nbytes waiting;
    for (size_t used = 0, more; used == 0 || used < piece->size; used += more) {
        more = wait_for(t, number, used, &waiting);
        if (more == 0) return false;
        if (!t->ranges->on_bytes(t->ranges->ctx, piece->bytes + used, more, waiting))
            return false;
    }
    uv_mutex_lock(&t->lock);
    t->handed++;
    uv_cond_broadcast(&t->changed);
    uv_mutex_unlock(&t->lock);
    return true;
}

static int start_connections(struct transfer *t, uv_thread_t *threads) {
    int count = 0;
    while (count < t->ranges->connections &&
           uv_thread_create(&threads[count], run_connection, t) == 0)
        count++;
    return count;
}

void hub_ranges_get(const struct hub_ranges *ranges, struct hub_response *ret) {
    uv_thread_t threads[RANGE_CONNECTIONS_MAX];
    struct hub_response good = { .answer.status = 206 };
    struct transfer t = { .ranges = ranges };
    t.count = (ranges->end - ranges->from + RANGE_PIECE - 1) / RANGE_PIECE;
    uv_mutex_init(&t.lock);
    uv_cond_init(&t.changed);
    int running = start_connections(&t, threads);
    bool ok = running > 0;
    while (ok && t.handed < t.count) ok = hand_on(&t, t.handed);
    end_with(&t, &good);
    for (int i = 0; i < running; i++) uv_thread_join(&threads[i]);
    *ret = t.failure;
    uv_cond_destroy(&t.changed);
    uv_mutex_destroy(&t.lock);
    for (int i = 0; i < RANGE_PIECES; i++) free(t.pieces[i].bytes);
}
