/* SPDX-License-Identifier: MIT */
/* routes.h - the daemon's HTTP API: the table of endpoints (docs/api.md), who may use them, and
 * what errors look like. */
#ifndef DOZE_DAEMON_ROUTES_ROUTES_H
#define DOZE_DAEMON_ROUTES_ROUTES_H

#include "daemon/exposure.h"
#include "daemon/routes/route.h"
#include "http/server.h"

/* For http_server_new. Borrows routes for the server's life. */
struct http_options routes_http_options(struct routes *routes);

/* What the owner should know of who can reach the server: a sentence, or "". */
void routes_warn_if_exposed(const struct routes *routes, char ret_text[EXPOSURE_SIZE]);

#endif
