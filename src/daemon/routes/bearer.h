/* SPDX-License-Identifier: MIT */
/* bearer.h - who sends a request, by the API key in its headers. */
#ifndef DOZE_DAEMON_ROUTES_BEARER_H
#define DOZE_DAEMON_ROUTES_BEARER_H

#include "daemon/gate.h"
#include "daemon/routes/route.h"

/* Valid until the loop goes on. Fails with ERR_API_KEY; a key may be revoked while a body
 * comes. */
bool bearer_of_exchange(const struct routes *r, const struct exchange *x,
                        struct bearer *ret_bearer, struct error *err)
    __attribute__((warn_unused_result));

/* The id of the client's API key, here or at the node that forwards the request; NULL: none. */
const char *bearer_owner(const struct exchange *x, const struct bearer *bearer);

/* For http_options: does the server need keys, and does the exchange have one that it knows? A
 * preflight has none. */
bool exchange_has_key(void *ctx, const struct exchange *x, bool preflight);

/* A number for the client, for turns among the requests of one model: from its key and
 * program. Connections do not identify a client, because it opens one for each running
 * request. */
uint64_t client_of(const struct exchange *x, const struct bearer *bearer);

#endif
