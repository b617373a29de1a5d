/* SPDX-License-Identifier: MIT */
#include "daemon/routes/pending.h"

#include <stdlib.h>

#include "base/xalloc.h"

static void pending_on_gone(void *ctx) {
    struct pending *pending = ctx;
    pending->service->cancel(pending->service->self, pending->call);
    pending_free(pending);
}

struct pending *pending_new(const struct service *service, struct exchange *x, const char *id) {
    struct pending *pending = xcalloc(1, sizeof *pending);
    pending->service = service;
    pending->x = x;
    if (id) pending->id = xstrdup(id);
    exchange_on_gone(x, pending_on_gone, pending);
    return pending;
}

void pending_free(struct pending *pending) {
    free(pending->id);
    free(pending);
}
