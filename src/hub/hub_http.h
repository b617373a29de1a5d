/* SPDX-License-Identifier: MIT */
/*
 * hub_http.h - requests to a hub and to the host that it keeps its files on, through libcurl.
 * They block, so each thread has a connection of its own.
 */
#ifndef DOZE_HUB_HUB_HTTP_H
#define DOZE_HUB_HUB_HTTP_H

#include <stddef.h>

#include "base/error.h"
#include "base/msec.h"
#include "hub/hub_environment.h"
#include "hub/hub_retry.h"

enum { HUB_URL_MAX = 8192 };

struct hub_http;

struct hub_response {
    struct hub_answer answer;
    char etag[160]; /* X-Linked-Etag, else ETag; without W/ and quotes */
    char location[HUB_URL_MAX];
    char link[HUB_URL_MAX];
    nbytes range_begin; /* of Content-Range; 0 if there is none */
    nbytes size;        /* X-Linked-Size: of the file, if the hub stores it elsewhere; 0
                                 if it does not say */
};

struct hub_call {
    const char *url;
    bool head;          /* HEAD instead of GET */
    bool token;         /* send the token: only ever to the hub itself */
    const char *header; /* one more line of the request; NULL: none */
    nbytes from;        /* ask for the bytes from here on; 0: for all */
    nbytes to;          /* and before this one; 0: to the end */
    /* Takes bytes of the body. The response is known but for its end. False ends the request.
     * NULL: there is none, or it is dropped. */
    bool (*on_body)(void *ctx, const struct hub_response *response, const char *bytes,
                    size_t len);
    /* Asked about once a second: true ends the request. */
    bool (*is_stopped)(void *ctx);
    void *ctx;
};

/* env is borrowed. NULL with *err if libcurl is missing. Any thread, once hub_http_start has
 * been called on one. */
struct hub_http *hub_http_new(const struct hub_environment *env, struct error *err);
void hub_http_free(struct hub_http *http);

/* Before the first thread. Loads libcurl; false with ERR_IO if it is missing. */
bool hub_http_start(struct error *err);

/* Perform the call. No redirect is followed. A connection that fails, also in mid-body, has
 * status 0 and a reason. */
void hub_http_perform(struct hub_http *http, const struct hub_call *call,
                      struct hub_response *ret);

#endif
