/* SPDX-License-Identifier: MIT */
#include "fleet/etcd.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "fleet/curl_loop.h"

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
    struct curl_loop *loop;
    struct curl_slist *headers;
    char **endpoints;
    size_t count, endpoint;
    struct etcd_sink sink;
    struct lane lanes[ETCD_LANES];
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
    if (lane->busy) curl_loop_remove(lane->etcd->loop, lane->easy);
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

static void etcd_on_worked(void *ctx) {
    struct etcd *e = ctx;
    take_lines(&e->lanes[ETCD_WATCHES]);
}

static void etcd_on_done(void *ctx, CURL *easy, CURLcode code) {
    struct lane *lane = lane_of(ctx, easy);
    if (lane) lane_end(lane, code);
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
    curl_library_trust(curl, easy);
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
    curl_loop_add(e->loop, lane->easy);
    lane->busy = true;
}

const char *etcd_endpoint(const struct etcd *e) {
    return e->endpoints[e->endpoint];
}

/* ---- the beginning and the end ---- */

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
static bool open_lanes(struct etcd *e) {
    const struct curl_library *curl = e->curl;
    bool ok = true;
    for (int i = 0; i < ETCD_LANES; i++) {
        e->lanes[i] = (struct lane){ .etcd = e, .easy = curl->easy_init() };
        ok = ok && e->lanes[i].easy;
    }
    e->headers = curl->slist_append(NULL, "Content-Type: application/json");
    /* libcurl would wait for a word of etcd's before a large body */
    return ok && e->headers && curl->slist_append(e->headers, "Expect:");
}

struct etcd *etcd_new(uv_loop_t *loop, const char *const *endpoints, size_t count,
                      struct etcd_sink sink, struct error *err) {
    struct etcd *e = xcalloc(1, sizeof *e);
    struct curl_loop_events events = { etcd_on_worked, etcd_on_done, e };
    e->loop = curl_loop_new(loop, events, err);
    if (!e->loop) {
        free(e);
        return NULL;
    }
    e->curl = curl_loop_library(e->loop);
    e->sink = sink;
    copy_endpoints(e, endpoints, count);
    if (open_lanes(e)) return e;
    error_set(err, ERR_IO, "libcurl could not be started.");
    etcd_close(e);
    return NULL;
}

void etcd_close(struct etcd *e) {
    if (!e) return;
    for (int i = 0; i < ETCD_LANES; i++) {
        lane_stop(&e->lanes[i]);
        e->curl->easy_cleanup(e->lanes[i].easy);
    }
    curl_loop_close(e->loop);
    e->curl->slist_free_all(e->headers);
    for (size_t i = 0; i < e->count; i++) free(e->endpoints[i]);
    free(e->endpoints);
    free(e);
}
