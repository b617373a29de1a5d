/* SPDX-License-Identifier: MIT */
/* route.h - finds the route of a request. Pure. */
#ifndef DOZE_HTTP_ROUTE_H
#define DOZE_HTTP_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "http/server.h"

struct route_match {
    const struct http_route *route; /* NULL: none for this method */
    const char *param;              /* what "{name}" stands for, in the path given; or NULL */
};

/* A route with this very path, or with it and a slash behind, wins over one with a "{name}", a
 * longer one over a shorter. HEAD is served by GET. */
struct route_match route_find(const struct http_route *routes, size_t count, const char *method,
                              const char *path);

/* Append the methods that this path answers, as for Allow: "GET, HEAD, OPTIONS". False, and
 * nothing appended, if the path is unknown. */
bool route_allowed(const struct http_route *routes, size_t count, const char *path,
                   struct buf *out);

#endif
