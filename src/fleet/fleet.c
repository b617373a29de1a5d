/* SPDX-License-Identifier: MIT */
#include "fleet/fleet.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/xalloc.h"

struct fleet {
    struct membership *m;
    struct etcd *etcd;
    uv_timer_t timer; /* until the next call is due */
    void (*on_news)(void *ctx, unsigned news);
    void (*on_change)(void *ctx);
    void *ctx;
    uint64_t told; /* membership_changes */
    bool left;     /* nothing more is published */
    bool leaving;  /* the lease is being given back */
    bool closed;   /* by its owner; waits for that */
};

enum { LEAVE_MS = 1000 };

static void fleet_on_due(uv_timer_t *timer);

/* Send what is due, and wait for what is next. */
static void pump(struct fleet *fleet) {
    enum etcd_lane lane;
    struct etcd_request request;
    msec now = clock_boottime();
    if (fleet->left) return;
    while (membership_next(fleet->m, now, &lane, &request))
        etcd_send(fleet->etcd, lane, &request);
    msec due = membership_deadline(fleet->m);
    uv_timer_stop(&fleet->timer);
    if (due != MSEC_NEVER)
        uv_timer_start(&fleet->timer, fleet_on_due, due > now ? (uint64_t)(due - now) : 1, 0);
    unsigned news = membership_take_news(fleet->m);
    if (news) fleet->on_news(fleet->ctx, news);
    uint64_t changes = membership_changes(fleet->m);
    if (changes == fleet->told) return;
    fleet->told = changes;
    fleet->on_change(fleet->ctx);
}

static void fleet_on_due(uv_timer_t *timer) {
    pump(timer->data);
}

static void fleet_on_patience(uv_timer_t *timer);

/* What etcd says after it left: the end of the lease, if anything. */
static bool fleet_has_left(struct fleet *fleet, enum etcd_lane lane) {
    if (!fleet->left) return false;
    if (lane == ETCD_LEASES) fleet->leaving = false;
    if (fleet->closed && !fleet->leaving) /* not from here: the sink must not close etcd */
        uv_timer_start(&fleet->timer, fleet_on_patience, 0, 0);
    return true;
}

static void fleet_on_answer(void *ctx, enum etcd_lane lane, const struct etcd_answer *answer) {
    struct fleet *fleet = ctx;
    if (fleet_has_left(fleet, lane)) return;
    membership_answer(fleet->m, lane, answer, clock_boottime());
    pump(fleet);
}

static void fleet_on_failure(void *ctx, enum etcd_lane lane, const struct error *err) {
    struct fleet *fleet = ctx;
    if (fleet_has_left(fleet, lane)) return;
    membership_failure(fleet->m, lane, err, clock_boottime());
    pump(fleet);
}

struct fleet *fleet_new(const struct fleet_config *config, struct error *err) {
    struct fleet *fleet = xcalloc(1, sizeof *fleet);
    struct etcd_sink sink = { fleet_on_answer, fleet_on_failure, fleet };
    fleet->etcd = etcd_new(config->loop, config->endpoints, config->endpoint_count, sink, err);
    if (!fleet->etcd) {
        free(fleet);
        return NULL;
    }
    fleet->m = membership_new(config->node, config->seed, clock_boottime());
    fleet->on_news = config->on_news;
    fleet->on_change = config->on_change;
    fleet->ctx = config->ctx;
    uv_timer_init(config->loop, &fleet->timer);
    fleet->timer.data = fleet;
    uv_timer_start(&fleet->timer, fleet_on_due, 0, 0);
    return fleet;
}

void fleet_set(struct fleet *fleet, const char *key, const char *value) {
    membership_set(fleet->m, key, value);
    if (!fleet->left) uv_timer_start(&fleet->timer, fleet_on_due, 0, 0);
}

const struct membership *fleet_membership(const struct fleet *fleet) {
    return fleet->m;
}

const char *fleet_endpoint(const struct fleet *fleet) {
    return etcd_endpoint(fleet->etcd);
}

void fleet_leave(struct fleet *fleet) {
    int64_t lease = membership_status(fleet->m).lease;
    if (fleet->left) return;
    fleet->left = true;
    uv_timer_stop(&fleet->timer);
    if (!lease) return;
    fleet->leaving = true;
    struct etcd_request revoke = { .call = ETCD_REVOKE, .lease = lease };
    etcd_send(fleet->etcd, ETCD_LEASES, &revoke);
}

static void fleet_on_closed(uv_handle_t *handle) {
    struct fleet *fleet = handle->data;
    membership_free(fleet->m);
    free(fleet);
}

static void fleet_on_patience(uv_timer_t *timer) {
    struct fleet *fleet = timer->data;
    etcd_close(fleet->etcd);
    uv_close((uv_handle_t *)timer, fleet_on_closed);
}

void fleet_close(struct fleet *fleet) {
    if (!fleet) return;
    fleet_leave(fleet);
    fleet->closed = true;
    uv_timer_start(&fleet->timer, fleet_on_patience, fleet->leaving ? LEAVE_MS : 0, 0);
}
