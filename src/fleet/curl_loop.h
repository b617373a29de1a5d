/* SPDX-License-Identifier: MIT */
/*
 * curl_loop.h - libcurl's transfers in the event loop; nothing here blocks.
 *
 * Whose transfers they are, and how they are set up, is its owner's business.
 */
#ifndef DOZE_FLEET_CURL_LOOP_H
#define DOZE_FLEET_CURL_LOOP_H

#include <uv.h>

#include "base/curl_library.h"

struct curl_loop;

/* Both come from the loop, outside libcurl's callbacks. */
struct curl_loop_events {
    /* libcurl has worked: its callbacks may have been called. NULL: not wanted. */
    void (*on_worked)(void *ctx);
    /* A transfer has ended; it may be removed now, and others added. */
    void (*on_done)(void *ctx, CURL *easy, CURLcode code);
    void *ctx;
};

/* NULL with ERR_IO if libcurl is missing. */
struct curl_loop *curl_loop_new(uv_loop_t *loop, struct curl_loop_events events,
                                struct error *err);

const struct curl_library *curl_loop_library(const struct curl_loop *c);

/* Begin a transfer, and drop it without a word or after its end. Not from libcurl's callbacks.
 */
void curl_loop_add(struct curl_loop *c, CURL *easy);
void curl_loop_remove(struct curl_loop *c, CURL *easy);

/* Free, once all transfers are removed; not from an event. The loop waits for its handles.
 * Accepts NULL. */
void curl_loop_close(struct curl_loop *c);

#endif
