/* SPDX-License-Identifier: MIT */
/* pending.h - an exchange that waits for one call of the service. */
#ifndef DOZE_DAEMON_ROUTES_PENDING_H
#define DOZE_DAEMON_ROUTES_PENDING_H

#include "api/service.h"
#include "http/server.h"

struct pending {
    const struct service *service;
    struct exchange *x;
    call_id call; /* set by the route when it has begun it */
    char *id;     /* what the call is about; NULL if the answer does not name it */
};

/* Copies id. If the client leaves, the call is cancelled and this is freed. */
struct pending *pending_new(const struct service *service, struct exchange *x, const char *id);
/* The exchange has been answered. */
void pending_free(struct pending *pending);

#endif
