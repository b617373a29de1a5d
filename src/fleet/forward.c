/* SPDX-License-Identifier: MIT */
#include "fleet/forward.h"

#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/xalloc.h"
#include "fleet/curl_loop.h"

enum {
    PROBE_SECONDS = 5, /* of a silent connection */
    /* The other machine confirms nothing for so long: as long as a lease. It confirms while it
     * computes, so this says nothing of slow answers. Without it a node that is cut off, and so
     * cannot learn from etcd which nodes have left, waits a quarter of an hour. */
    UNREACHED_MS = 10000,
};

struct forwarder {
    struct curl_loop *loop;
    const struct curl_library *curl;
};

struct forward {
    struct forwarder *owner;
    CURL *easy;
    struct curl_slist *headers;
    struct forward_sink sink;
    size_t body_len;
    bool headed, paused;
    bool held; /* libcurl holds bytes back */
    char reason[CURL_ERROR_SIZE];
};

/* ---- the answer ---- */

/* Of one connection, or made for the client's. */
static bool is_of_connection(const char *name) {
    static const char *const names[] = { "connection",     "keep-alive",   "transfer-encoding",
                                         "content-length", "content-type", "date",
                                         "trailer",        "upgrade" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcasecmp(name, names[i]) == 0) return true;
    }
    return false;
}

static bool is_plain(const char *text) {
    size_t len = strlen(text);
    if (len > FORWARD_VALUE_MAX) return false;
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f) return false;
    }
    return true;
}

static void read_fields(const struct forward *f, struct forward_head *head) {
    const struct curl_library *curl = f->owner->curl;
    struct curl_header *field = NULL;
    while (head->field_count < FORWARD_FIELDS_MAX &&
           (field = curl->easy_nextheader(f->easy, CURLH_HEADER, -1, field))) {
        if (is_of_connection(field->name)) continue;
        if (!is_plain(field->name) || !is_plain(field->value)) continue;
        head->fields[head->field_count++] = (struct forward_field){ field->name, field->value };
    }
}

/* A node may answer before it has read the body. */
static bool is_sent(const struct forward *f) {
    curl_off_t sent = 0;
    f->owner->curl->easy_getinfo(f->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
    return (size_t)sent >= f->body_len;
}

static void tell_head(struct forward *f) {
    const struct curl_library *curl = f->owner->curl;
    struct forward_head head = { 0 };
    curl_off_t length = -1;
    long status = 0;
    if (f->headed) return;
    f->headed = true;
    curl->easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
    curl->easy_getinfo(f->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    curl->easy_getinfo(f->easy, CURLINFO_CONTENT_TYPE, &head.content_type);
    if (head.content_type && !is_plain(head.content_type)) head.content_type = NULL;
    head.status = (int)status;
    head.length = length;
    head.sent = is_sent(f);
    read_fields(f, &head);
    f->sink.on_head(f->sink.ctx, &head);
}

static size_t forward_on_bytes(char *bytes, size_t size, size_t count, void *ctx) {
    struct forward *f = ctx;
    size_t len = size * count;
    if (f->paused) {
        f->held = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    tell_head(f);
    f->sink.on_bytes(f->sink.ctx, bytes, len);
    return len;
}

static void forward_free(struct forward *f) {
    curl_loop_remove(f->owner->loop, f->easy);
    f->owner->curl->easy_cleanup(f->easy);
    f->owner->curl->slist_free_all(f->headers);
    free(f);
}

static void forwarder_on_done(void *ctx, CURL *easy, CURLcode code) {
    const struct forwarder *forwarder = ctx;
    struct forward *f = NULL;
    struct error err;
    forwarder->curl->easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&f);
    if (code == CURLE_OK) {
        tell_head(f);
    } else {
        const char *why = f->reason[0] ? f->reason : forwarder->curl->easy_strerror(code);
        error_set(&err, code == CURLE_PEER_FAILED_VERIFICATION ? ERR_NOT_SUPPORTED : ERR_IO,
                  "%.200s", why);
    }
    struct forward_sink sink = f->sink;
    forward_free(f);
    sink.on_end(sink.ctx, code == CURLE_OK ? NULL : &err);
}

/* ---- the request ---- */

static struct curl_slist *make_headers(const struct curl_library *curl,
                                       const struct forward_request *request) {
    /* libcurl would wait for a word of the node's before a large body */
    struct curl_slist *list = curl->slist_append(NULL, "Expect:");
    for (size_t i = 0; i < request->field_count; i++) {
        const struct forward_field *field = &request->fields[i];
        char *line = xasprintf("%s: %s", field->name, field->value);
        list = curl->slist_append(list, line);
        free(line);
    }
    return list;
}

static int forward_on_socket(void *ctx, curl_socket_t fd, curlsocktype purpose) {
    unsigned ms = UNREACHED_MS;
    (void)ctx;
    (void)purpose;
    /* kernels have it since 2.6.37 */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms);
    return CURL_SOCKOPT_OK;
}

/* Long: one line for each option. */
static void set_up(struct forward *f, const struct forward_request *request) {
    const struct curl_library *curl = f->owner->curl;
    CURL *easy = f->easy;
    curl->easy_setopt(easy, CURLOPT_URL, request->url);
    curl->easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl->easy_setopt(easy, CURLOPT_PROXY, ""); /* nodes of a fleet are near each other */
    curl_library_trust(curl, easy);
    curl->easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl->easy_setopt(easy, CURLOPT_HTTPHEADER, f->headers);
    if (strcmp(request->method, "POST") == 0) {
        curl->easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len);
        curl->easy_setopt(easy, CURLOPT_POSTFIELDS, request->body);
    } else if (strcmp(request->method, "HEAD") == 0) {
        curl->easy_setopt(easy, CURLOPT_NOBODY, 1L); /* or it would wait for the body */
    } else {
        curl->easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    }
    curl->easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl->easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)FORWARD_CONNECT_MS);
    curl->easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl->easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, (long)PROBE_SECONDS);
    curl->easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, (long)PROBE_SECONDS);
    curl->easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, forward_on_socket);
    curl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, forward_on_bytes);
    curl->easy_setopt(easy, CURLOPT_WRITEDATA, f);
    curl->easy_setopt(easy, CURLOPT_PRIVATE, f);
    curl->easy_setopt(easy, CURLOPT_ERRORBUFFER, f->reason);
}

struct forward *forward_begin(struct forwarder *forwarder,
                              const struct forward_request *request, struct forward_sink sink) {
    struct forward *f = xcalloc(1, sizeof *f);
    f->owner = forwarder;
    f->sink = sink;
    f->body_len = strcmp(request->method, "POST") == 0 ? request->body_len : 0;
    f->easy = forwarder->curl->easy_init();
    if (!f->easy) abort(); /* it only needs memory */
    f->headers = make_headers(forwarder->curl, request);
    set_up(f, request);
    curl_loop_add(forwarder->loop, f->easy);
    return f;
}

void forward_pause(struct forward *f, bool paused) {
    f->paused = paused;
    if (paused || !f->held) return;
    f->held = false;
    f->owner->curl->easy_pause(f->easy, CURLPAUSE_CONT);
}

void forward_cancel(struct forward *f) {
    if (f) forward_free(f);
}

/* ---- all of them ---- */

struct forwarder *forwarder_new(uv_loop_t *loop, struct error *err) {
    struct forwarder *forwarder = xcalloc(1, sizeof *forwarder);
    struct curl_loop_events events = { NULL, forwarder_on_done, forwarder };
    forwarder->loop = curl_loop_new(loop, events, err);
    if (!forwarder->loop) {
        free(forwarder);
        return NULL;
    }
    forwarder->curl = curl_loop_library(forwarder->loop);
    return forwarder;
}

void forwarder_close(struct forwarder *forwarder) {
    if (!forwarder) return;
    curl_loop_close(forwarder->loop);
    free(forwarder);
}
