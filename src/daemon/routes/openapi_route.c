/* SPDX-License-Identifier: MIT */
/* openapi_route.c - GET /api/openapi.json: the description of the API for programs. */
#include "daemon/routes/openapi.h"
#include "daemon/routes/route.h"
#include "http/server.h"

void route_openapi(void *ctx, struct exchange *x) {
    (void)ctx;
    exchange_reply(x, 200, "application/json", openapi_json, openapi_json_len);
}
