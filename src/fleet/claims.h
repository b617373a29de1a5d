/* SPDX-License-Identifier: MIT */
/*
 * claims.h - one cold load of a model in the whole fleet: the node that loads it has the key
 * claim/<model>, which etcd creates only if it is absent, under the node's lease.
 *
 * One call to etcd at a time. Whatever goes wrong there does not hold up a load: a node without
 * etcd serves alone.
 */
#ifndef DOZE_FLEET_CLAIMS_H
#define DOZE_FLEET_CLAIMS_H

#include <uv.h>

#include "base/error.h"
#include "base/msec.h"

struct claims;
struct claim;

struct claims_config {
    uv_loop_t *loop;
    const char *node; /* copied, as the endpoints */
    const char *const *endpoints;
    size_t endpoint_count;
};

/* NULL with ERR_IO if libcurl is missing. */
struct claims *claims_new(const struct claims_config *config, struct error *err);
/* Claims that wait for their answer have it: nobody else loads. Not from a sink. The loop waits
 * for its handles. Accepts NULL. */
void claims_close(struct claims *claims);

struct claim_sink {
    /* Once, from the loop. holder: the node that loads the model already; NULL: this one is to.
     * Borrowed for the call. */
    void (*on_answer)(void *ctx, const char *holder);
    void *ctx;
};

/* Never NULL; claim_drop frees it. since: Unix ms. */
struct claim *claims_take(struct claims *claims, const char *model, int64_t lease, msec since,
                          struct claim_sink sink);

/* The load is over, or not wanted: the key goes. The sink is no longer called; it may call
 * this. Accepts NULL. */
void claim_drop(struct claim *claim);

#endif
