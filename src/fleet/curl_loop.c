/* SPDX-License-Identifier: MIT */
#include "fleet/curl_loop.h"

#include <assert.h>
#include <stdlib.h>

#include "base/xalloc.h"

struct curl_loop {
    const struct curl_library *curl;
    uv_loop_t *loop;
    CURLM *multi;
    uv_timer_t timer; /* libcurl's */
    struct curl_loop_events events;
};

/* A socket of libcurl's; freed when its handle is closed. */
struct watched {
    uv_poll_t poll; /* first: a handle is freed as its socket */
    struct curl_loop *owner;
    curl_socket_t fd;
};

/* What libcurl has left behind, outside its callbacks. */
static void drain(struct curl_loop *c) {
    const CURLMsg *message;
    int left;
    if (c->events.on_worked) c->events.on_worked(c->events.ctx);
    while ((message = c->curl->multi_info_read(c->multi, &left))) {
        if (message->msg == CURLMSG_DONE)
            c->events.on_done(c->events.ctx, message->easy_handle, message->data.result);
    }
}

static void on_timer(uv_timer_t *timer) {
    struct curl_loop *c = timer->data;
    int running;
    c->curl->multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    drain(c);
}

static int on_timeout_wanted(CURLM *multi, long ms, void *ctx) {
    struct curl_loop *c = ctx;
    (void)multi;
    if (ms < 0)
        uv_timer_stop(&c->timer);
    else
        uv_timer_start(&c->timer, on_timer, (uint64_t)ms, 0);
    return 0;
}

static void on_ready(uv_poll_t *poll, int status, int events) {
    struct watched *watched = (struct watched *)poll;
    struct curl_loop *c = watched->owner;
    int running, flags = status < 0 ? CURL_CSELECT_ERR : 0;
    if (events & UV_READABLE) flags |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE) flags |= CURL_CSELECT_OUT;
    c->curl->multi_socket_action(c->multi, watched->fd, flags, &running);
    drain(c);
}

static void on_socket_closed(uv_handle_t *handle) {
    free(handle);
}

static struct watched *watch_socket(struct curl_loop *c, curl_socket_t fd) {
    struct watched *watched = xcalloc(1, sizeof *watched);
    watched->owner = c;
    watched->fd = fd;
    if (uv_poll_init_socket(c->loop, &watched->poll, fd) != 0) {
        free(watched);
        return NULL;
    }
    c->curl->multi_assign(c->multi, fd, watched);
    return watched;
}

static int on_socket_wanted(CURL *easy, curl_socket_t fd, int what, void *ctx, void *assigned) {
    struct curl_loop *c = ctx;
    struct watched *watched = assigned;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (!watched) return 0;
        c->curl->multi_assign(c->multi, fd, NULL);
        uv_close((uv_handle_t *)&watched->poll, on_socket_closed);
        return 0;
    }
    if (!watched) watched = watch_socket(c, fd);
    if (!watched) return -1;
    int events = (what & CURL_POLL_IN ? UV_READABLE : 0) |
                 (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    return uv_poll_start(&watched->poll, events, on_ready) == 0 ? 0 : -1;
}

/* ---- transfers ---- */

const struct curl_library *curl_loop_library(const struct curl_loop *c) {
    return c->curl;
}

void curl_loop_add(struct curl_loop *c, CURL *easy) {
    curl_library_keep_sockets(c->curl, easy);
    CURLMcode code = c->curl->multi_add_handle(c->multi, easy);
    assert(code == CURLM_OK); /* it only needs memory */
}

void curl_loop_remove(struct curl_loop *c, CURL *easy) {
    c->curl->multi_remove_handle(c->multi, easy);
}

/* ---- the beginning and the end ---- */

static const struct curl_library *start_curl(struct error *err) {
    static bool started;
    const struct curl_library *curl = curl_library_get(err);
    if (!curl) return NULL;
    if (!started) started = curl->global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    if (started) return curl;
    error_set(err, ERR_IO, "libcurl could not be started.");
    return NULL;
}

struct curl_loop *curl_loop_new(uv_loop_t *loop, struct curl_loop_events events,
                                struct error *err) {
    const struct curl_library *curl = start_curl(err);
    CURLM *multi = curl ? curl->multi_init() : NULL;
    if (!curl) return NULL;
    if (!multi) {
        error_set(err, ERR_IO, "libcurl could not be started.");
        return NULL;
    }
    struct curl_loop *c = xcalloc(1, sizeof *c);
    *c = (struct curl_loop){ .curl = curl, .loop = loop, .multi = multi, .events = events };
    uv_timer_init(loop, &c->timer);
    c->timer.data = c;
    curl->multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket_wanted);
    curl->multi_setopt(multi, CURLMOPT_SOCKETDATA, c);
    curl->multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timeout_wanted);
    curl->multi_setopt(multi, CURLMOPT_TIMERDATA, c);
    return c;
}

static void on_closed(uv_handle_t *handle) {
    free(handle->data);
}

void curl_loop_close(struct curl_loop *c) {
    if (!c) return;
    c->curl->multi_cleanup(c->multi);
    uv_close((uv_handle_t *)&c->timer, on_closed);
}
