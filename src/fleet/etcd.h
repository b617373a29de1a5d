/* SPDX-License-Identifier: MIT */
/*
 * etcd.h - calls to etcd from the event loop, through libcurl; nothing here blocks.
 *
 * Calls go out in lanes, one at a time in each. Of several endpoints one is in use until it
 * fails; then the next one is. When to try again is the caller's decision (membership.h).
 */
#ifndef DOZE_FLEET_ETCD_H
#define DOZE_FLEET_ETCD_H

#include <uv.h>

#include "fleet/etcd_message.h"

enum etcd_lane { ETCD_LEASES, ETCD_WRITES, ETCD_READS, ETCD_WATCHES };
enum { ETCD_LANES = ETCD_WATCHES + 1 };

/* Where answers go: from the loop, one call for each call sent. A watch has an answer for each
 * line, and a failure at its end. The answer is borrowed. */
struct etcd_sink {
    void (*on_answer)(void *ctx, enum etcd_lane lane, const struct etcd_answer *answer);
    void (*on_failure)(void *ctx, enum etcd_lane lane, const struct error *err);
    void *ctx;
};

struct etcd;

/* endpoints: URLs, "http://10.0.0.1:2379"; copied. NULL with ERR_IO if libcurl is missing. */
struct etcd *etcd_new(uv_loop_t *loop, const char *const *endpoints, size_t count,
                      struct etcd_sink sink, struct error *err);

/* Send in a lane; what it was doing is dropped without a word. Keys and values have at most
 * ETCD_KEY_MAX and ETCD_VALUE_MAX bytes. May be called by the sink; calls none itself. */
void etcd_send(struct etcd *etcd, enum etcd_lane lane, const struct etcd_request *request);

/* The endpoint that the next call goes to; borrowed. */
const char *etcd_endpoint(const struct etcd *etcd);

/* Drop all calls and free; not from the sink. The loop waits for its handles. Accepts NULL. */
void etcd_close(struct etcd *etcd);

#endif
