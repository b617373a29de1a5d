/* SPDX-License-Identifier: MIT */
/* history_route.c - GET /api/v1/history: what happened, also in earlier runs. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "daemon/history.h"
#include "daemon/routes/route.h"
#include "http/server.h"

struct pending_history {
    struct exchange *x;
    struct history_reading *reading;
};

static void history_on_gone(void *ctx) {
    struct pending_history *p = ctx;
    history_forget(p->reading);
    free(p);
}

static void history_on_end(void *ctx, struct buf *json, const struct error *error) {
    struct pending_history *p = ctx;
    if (json)
        exchange_reply_taking(p->x, 200, "application/json", json);
    else
        exchange_fail(p->x, error);
    free(p);
}

void route_history(void *ctx, struct exchange *x) {
    struct routes *r = ctx;
    struct error err;
    struct history_query query;
    if (!history_query_parse(exchange_query(x, "since"), exchange_query(x, "until"),
                             exchange_query(x, "limit"), clock_unix(), &query, &err)) {
        exchange_fail(x, &err);
        return;
    }
    struct pending_history *p = xcalloc(1, sizeof *p);
    p->x = x;
    p->reading = history_read(r->history, &query, (struct history_sink){ history_on_end, p });
    if (!p->reading) {
        free(p);
        error_set(&err, ERR_QUEUE_FULL,
                  "Too many requests for the history are waiting; try again in a second.");
        err.retry_after = 1;
        exchange_fail(x, &err);
        return;
    }
    exchange_on_gone(x, history_on_gone, p);
}
