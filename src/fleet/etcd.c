/* SPDX-License-Identifier: MIT */
#include "fleet/etcd.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/curl_library.h"
#include "base/xalloc.h"

enum {
    CONNECT_MS = 2000,
    LEASE_MS = 2000, /* three tries and more in the life of a lease */
    CALL_MS = 5000,
    PROBE_SECONDS = 5, /* of a silent connection; of a watch most are */
    REQUEST_MAX = 2 << 20,
    ANSWER_MAX = 64 << 20, /* bytes */
};

struct lane {
    struct etcd *etcd;
    CURL *easy;
    bool busy;
    enum etcd_call call;
    size_t endpoint; /* of this call */
    struct buf request, answer;
    char reason[CURL_ERROR_SIZE];
};

struct etcd {
    const struct curl_library *curl;
    uv_loop_t *loop;
    CURLM *multi;
    uv_timer_t timer; /* libcurl's */
    struct curl_slist *headers;
    char **endpoints;
    size_t count, endpoint;
    struct etcd_sink sink;
    struct lane lanes[ETCD_LANES];
};

/* A socket of libcurl's; freed when its handle is closed. */
struct watched {
    uv_poll_t poll; /* first: a handle is freed as its socket */
    struct etcd *etcd;
    curl_socket_t fd;
};

/* ---- the end of a call ---- */

static struct lane *lane_of(struct etcd *e, const CURL *easy) {
    for (int i = 0; i < ETCD_LANES; i++) {
        if (e->lanes[i].easy == easy) return &e->lanes[i];
    }
    return NULL;
}

static enum etcd_lane lane_name(const struct lane *lane) {
    return (enum etcd_lane)(lane - lane->etcd->lanes);
}

static long lane_status(const struct lane *lane) {
    long status = 0;
    lane->etcd->curl->easy_getinfo(lane->easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

static void lane_stop(struct lane *lane) {
    if (lane->busy) lane->etcd->curl->multi_remove_handle(lane->etcd->multi, lane->easy);
    lane->busy = false;
    buf_clear(&lane->answer);
    buf_clear(&lane->request);
}

/* Several calls that one endpoint has failed move on by one. */
static void lane_fail(struct lane *lane, const struct error *err) {
    struct etcd *e = lane->etcd;
    lane_stop(lane);
    if (err->code == ERR_IO && lane->endpoint == e->endpoint)
        e->endpoint = (e->endpoint + 1) % e->count;
    e->sink.on_failure(e->sink.ctx, lane_name(lane), err);
}

static void lane_deliver(struct lane *lane, long status, const char *text, size_t len) {
    struct etcd *e = lane->etcd;
    struct etcd_answer answer;
    struct error err = { 0 };
    bool ok = etcd_answer_parse(lane->call, status, text, len, &answer, &err);
    if (!ok) {
        lane_fail(lane, &err);
        return;
    }
    if (lane->call != ETCD_WATCH) lane_stop(lane);
    e->sink.on_answer(e->sink.ctx, lane_name(lane), &answer);
    etcd_answer_clear(&answer);
}

/* The whole lines that have come. The sink may begin another watch at each. */
static void take_lines(struct lane *lane) {
    while (lane->busy && lane->answer.len > 0 && lane_status(lane) == 200) {
        const char *text = buf_str(&lane->answer);
        const char *end = memchr(text, '\n', lane->answer.len);
        if (!end) return;
        size_t len = (size_t)(end - text);
        char *line = xstrndup(text, len);
        buf_drop(&lane->answer, len + 1);
        if (len > 0) lane_deliver(lane, 200, line, len);
        free(line);
    }
}

static void lane_end(struct lane *lane, CURLcode code) {
    struct error err = { 0 };
    const char *why = lane->reason[0] ? lane->reason : lane->etcd->curl->easy_strerror(code);
    long status = lane_status(lane);
    if (code == CURLE_OK && (lane->call != ETCD_WATCH || status != 200)) {
        struct buf text = lane->answer;
        lane->answer = (struct buf)BUF_INIT(ANSWER_MAX);
        lane_deliver(lane, status, buf_str(&text), text.len);
        buf_clear(&text);
        return;
    }
    if (code == CURLE_OK) why = "it ended the watch";
    error_set(&err, ERR_IO, "%s: %.200s", lane->etcd->endpoints[lane->endpoint], why);
    lane_fail(lane, &err);
}

/* What libcurl has left behind, outside its callbacks. */
static void drain(struct etcd *e) {
    const CURLMsg *message;
    int left;
    take_lines(&e->lanes[ETCD_WATCHES]);
    while ((message = e->curl->multi_info_read(e->multi, &left))) {
        struct lane *lane = lane_of(e, message->easy_handle);
        if (message->msg == CURLMSG_DONE && lane) lane_end(lane, message->data.result);
    }
}

/* ---- libcurl and the loop ---- */

static void on_timer(uv_timer_t *timer) {
    struct etcd *e = timer->data;
    int running;
    e->curl->multi_socket_action(e->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    drain(e);
}

static int on_timeout_wanted(CURLM *multi, long ms, void *ctx) {
    struct etcd *e = ctx;
    (void)multi;
    if (ms < 0)
        uv_timer_stop(&e->timer);
    else
        uv_timer_start(&e->timer, on_timer, (uint64_t)ms, 0);
    return 0;
}

static void on_ready(uv_poll_t *poll, int status, int events) {
    struct watched *watched = (struct watched *)poll;
    struct etcd *e = watched->etcd;
    int running, flags = status < 0 ? CURL_CSELECT_ERR : 0;
    if (events & UV_READABLE) flags |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE) flags |= CURL_CSELECT_OUT;
    e->curl->multi_socket_action(e->multi, watched->fd, flags, &running);
    drain(e);
}

static void on_socket_closed(uv_handle_t *handle) {
    free(handle);
}

static struct watched *watch_socket(struct etcd *e, curl_socket_t fd) {
    struct watched *watched = xcalloc(1, sizeof *watched);
    watched->etcd = e;
    watched->fd = fd;
    if (uv_poll_init_socket(e->loop, &watched->poll, fd) != 0) {
        free(watched);
        return NULL;
    }
    e->curl->multi_assign(e->multi, fd, watched);
    return watched;
}

static int on_socket_wanted(CURL *easy, curl_socket_t fd, int what, void *ctx, void *assigned) {
    struct etcd *e = ctx;
    struct watched *watched = assigned;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (!watched) return 0;
        e->curl->multi_assign(e->multi, fd, NULL);
        uv_close((uv_handle_t *)&watched->poll, on_socket_closed);
        return 0;
    }
    if (!watched) watched = watch_socket(e, fd);
    if (!watched) return -1;
    int events = (what & CURL_POLL_IN ? UV_READABLE : 0) |
                 (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    return uv_poll_start(&watched->poll, events, on_ready) == 0 ? 0 : -1;
}

/* ---- a call ---- */

static size_t on_bytes(char *bytes, size_t size, size_t count, void *ctx) {
    struct lane *lane = ctx;
    size_t len = size * count;
    return buf_add(&lane->answer, bytes, len) ? len : 0;
}

/* Long: one line for each option. */
static void set_up(struct lane *lane, const char *url) {
    const struct curl_library *curl = lane->etcd->curl;
    CURL *easy = lane->easy;
    long limit = lane->call == ETCD_KEEPALIVE || lane->call == ETCD_GRANT ? LEASE_MS : CALL_MS;
    curl->easy_reset(easy); /* keeps the connection */
    curl->easy_setopt(easy, CURLOPT_URL, url);
    curl->easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl->easy_setopt(easy, CURLOPT_PROXY, ""); /* nodes of a fleet are near each other */
    curl->easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl->easy_setopt(easy, CURLOPT_USERAGENT, "doze");
    curl->easy_setopt(easy, CURLOPT_HTTPHEADER, lane->etcd->headers);
    curl->easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)lane->request.len);
    curl->easy_setopt(easy, CURLOPT_POSTFIELDS, buf_str(&lane->request));
    curl->easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl->easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl->easy_setopt(easy, CURLOPT_TIMEOUT_MS, lane->call == ETCD_WATCH ? 0L : limit);
    curl->easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl->easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, (long)PROBE_SECONDS);
    curl->easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, (long)PROBE_SECONDS);
    curl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_bytes);
    curl->easy_setopt(easy, CURLOPT_WRITEDATA, lane);
    curl->easy_setopt(easy, CURLOPT_ERRORBUFFER, lane->reason);
}

void etcd_send(struct etcd *e, enum etcd_lane name, const struct etcd_request *request) {
    struct lane *lane = &e->lanes[name];
    lane_stop(lane);
    lane->call = request->call;
    lane->endpoint = e->endpoint;
    lane->reason[0] = '\0';
    lane->request = (struct buf)BUF_INIT(REQUEST_MAX);
    lane->answer = (struct buf)BUF_INIT(ANSWER_MAX);
    bool fits = etcd_request_format(request, &lane->request);
    assert(fits); /* ETCD_VALUE_MAX */
    char *url = xasprintf("%s%s", e->endpoints[e->endpoint], etcd_path(request->call));
    set_up(lane, url);
    free(url);
    CURLMcode code = e->curl->multi_add_handle(e->multi, lane->easy);
    assert(code == CURLM_OK); /* it only needs memory */
    lane->busy = true;
}

const char *etcd_endpoint(const struct etcd *e) {
    return e->endpoints[e->endpoint];
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

static void copy_endpoints(struct etcd *e, const char *const *endpoints, size_t count) {
    e->endpoints = xcalloc(count, sizeof *e->endpoints);
    e->count = count;
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(endpoints[i]);
        while (len > 0 && endpoints[i][len - 1] == '/') len--;
        e->endpoints[i] = xstrndup(endpoints[i], len);
    }
}

/* False: libcurl has no memory for it. */
static bool open_curl(struct etcd *e) {
    const struct curl_library *curl = e->curl;
    e->multi = curl->multi_init();
    bool ok = e->multi != NULL;
    for (int i = 0; i < ETCD_LANES; i++) {
        e->lanes[i] = (struct lane){ .etcd = e, .easy = curl->easy_init() };
        ok = ok && e->lanes[i].easy;
    }
    e->headers = curl->slist_append(NULL, "Content-Type: application/json");
    /* libcurl would wait for a word of etcd's before a large body */
    struct curl_slist *longer = e->headers ? curl->slist_append(e->headers, "Expect:") : NULL;
    if (!ok || !longer) return false;
    curl->multi_setopt(e->multi, CURLMOPT_SOCKETFUNCTION, on_socket_wanted);
    curl->multi_setopt(e->multi, CURLMOPT_SOCKETDATA, e);
    curl->multi_setopt(e->multi, CURLMOPT_TIMERFUNCTION, on_timeout_wanted);
    curl->multi_setopt(e->multi, CURLMOPT_TIMERDATA, e);
    return true;
}

struct etcd *etcd_new(uv_loop_t *loop, const char *const *endpoints, size_t count,
                      struct etcd_sink sink, struct error *err) {
    const struct curl_library *curl = start_curl(err);
    if (!curl) return NULL;
    struct etcd *e = xcalloc(1, sizeof *e);
    e->curl = curl;
    e->loop = loop;
    e->sink = sink;
    copy_endpoints(e, endpoints, count);
    uv_timer_init(loop, &e->timer);
    e->timer.data = e;
    if (open_curl(e)) return e;
    error_set(err, ERR_IO, "libcurl could not be started.");
    etcd_close(e);
    return NULL;
}

static void on_closed(uv_handle_t *handle) {
    struct etcd *e = handle->data;
    for (size_t i = 0; i < e->count; i++) free(e->endpoints[i]);
    free(e->endpoints);
    free(e);
}

void etcd_close(struct etcd *e) {
    if (!e) return;
    for (int i = 0; i < ETCD_LANES; i++) {
        lane_stop(&e->lanes[i]);
        e->curl->easy_cleanup(e->lanes[i].easy);
    }
    e->curl->multi_cleanup(e->multi);
    e->curl->slist_free_all(e->headers);
    uv_close((uv_handle_t *)&e->timer, on_closed);
}
