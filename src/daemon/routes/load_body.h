/* SPDX-License-Identifier: MIT */
/* load_body.h - the body of POST /api/v1/models/load and /estimate. */
#ifndef DOZE_DAEMON_ROUTES_LOAD_BODY_H
#define DOZE_DAEMON_ROUTES_LOAD_BODY_H

#include "api/service.h"
#include "http/server.h"

struct load_body {
    struct load_request request; /* its strings are the document's */
    yyjson_doc *doc;             /* the caller frees it */
    bool echo;                   /* "echo_load_config" */
};

/* False if the body is wrong: then the exchange was answered. */
bool load_body_read(struct exchange *x, struct load_body *ret_body)
    __attribute__((warn_unused_result));

#endif
