/* SPDX-License-Identifier: MIT */
#include "cli/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/xalloc.h"
#include "cli/curl_library.h"

enum { CONNECT_SECONDS = 10, POLL_MS = 1 << 20, MAX_URL = 2048 };

/* One transfer while it runs. */
struct transfer {
    const struct curl_library *curl;
    const struct call *call;
    CURL *easy;
    struct curl_slist *headers;
    struct sse sse;
    struct buf *body;
    bool is_stream, too_large;
    char reason[CURL_ERROR_SIZE];
};

const char *client_host(const struct cli *cli) {
    if (strcmp(cli->host, "0.0.0.0") == 0) return "127.0.0.1";
    return strcmp(cli->host, "::") == 0 ? "::1" : cli->host;
}

void client_base(const struct cli *cli, char base[300]) {
    const char *host = client_host(cli);
    bool literal6 = strchr(host, ':') && host[0] != '[';
    snprintf(base, 300, "http://%s%.255s%s:%d", literal6 ? "[" : "", host, literal6 ? "]" : "",
             (int)cli->port.value);
}

static bool starts_stream(struct transfer *t) {
    char *type = NULL;
    long status = 0;
    t->curl->easy_getinfo(t->easy, CURLINFO_CONTENT_TYPE, &type);
    t->curl->easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    return t->call->on_event && status / 100 == 2 && type &&
           strncasecmp(type, "text/event-stream", strlen("text/event-stream")) == 0;
}

static size_t on_bytes(char *bytes, size_t size, size_t count, void *ctx) {
    struct transfer *t = ctx;
    size_t len = size * count;
    if (!t->is_stream) t->is_stream = starts_stream(t);
    bool ok = t->is_stream ? sse_feed(&t->sse, bytes, len) : buf_add(t->body, bytes, len);
    if (!ok) t->too_large = true;
    return ok ? len : 0;
}

static void add_header(struct transfer *t, const char *line) {
    struct curl_slist *longer = t->curl->slist_append(t->headers, line);
    if (longer) t->headers = longer;
}

/* For a server whose setting `api_key` asks for one. */
static void add_key(struct transfer *t) {
    const char *key = getenv("DOZE_API_KEY");
    if (!key || !*key) return;
    char *line = xasprintf("Authorization: Bearer %s", key);
    add_header(t, line);
    free(line);
}

/* Values are those of the server on this machine: no proxy, no redirect, HTTP only. */
static void transfer_set_up(struct transfer *t, const struct cli *cli) {
    char base[300], url[MAX_URL];
    client_base(cli, base);
    snprintf(url, sizeof url, "%s%s", base, t->call->path);
    t->curl->easy_setopt(t->easy, CURLOPT_URL, url);
    t->curl->easy_setopt(t->easy, CURLOPT_PROTOCOLS_STR, "http");
    t->curl->easy_setopt(t->easy, CURLOPT_NOPROXY, "*");
    t->curl->easy_setopt(t->easy, CURLOPT_NOSIGNAL, 1L);
    t->curl->easy_setopt(t->easy, CURLOPT_TCP_KEEPALIVE, 1L);
    t->curl->easy_setopt(t->easy, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    t->curl->easy_setopt(t->easy, CURLOPT_TIMEOUT, t->call->max_seconds);
    t->curl->easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST, t->call->method);
    t->curl->easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->reason);
    t->curl->easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_bytes);
    t->curl->easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
    add_key(t);
    if (t->call->on_event) add_header(t, "Accept: text/event-stream, application/json");
    if (t->call->body) {
        add_header(t, "Content-Type: application/json");
        add_header(t, "Expect:"); /* or libcurl waits a second for 100-continue */
        t->curl->easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE, (long)strlen(t->call->body));
        t->curl->easy_setopt(t->easy, CURLOPT_POSTFIELDS, t->call->body);
    }
    t->curl->easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
}

/* Run to the end. The multi interface instead of curl_easy_perform: it waits for cancel_fd
 * too, so Ctrl-C acts at once. */
static CURLcode transfer_run(struct transfer *t, CURLM *multi, bool *ret_cancelled) {
    struct curl_waitfd cancel = { .fd = t->call->cancel_fd, .events = CURL_WAIT_POLLIN };
    unsigned extra = t->call->cancel_fd >= 0 ? 1 : 0;
    *ret_cancelled = false;
    for (;;) {
        int running = 0, left = 0;
        if (t->curl->multi_perform(multi, &running) != CURLM_OK) return CURLE_RECV_ERROR;
        CURLMsg *msg = t->curl->multi_info_read(multi, &left);
        if (msg) return msg->data.result;
        cancel.revents = 0;
        if (t->curl->multi_poll(multi, &cancel, extra, POLL_MS, NULL) != CURLM_OK) {
            return CURLE_RECV_ERROR;
        }
        if (extra && cancel.revents) {
            *ret_cancelled = true;
            return CURLE_OK;
        }
    }
}

bool client_read_error(const char *body, size_t len, long status, struct error *err) {
    struct error ignored;
    const char *message = NULL, *code = NULL;
    yyjson_doc *doc = json_parse_object(body, len, &ignored);
    yyjson_val *error = doc ? yyjson_obj_get(yyjson_doc_get_root(doc), "error") : NULL;
    if (yyjson_is_str(error)) message = yyjson_get_str(error);
    if (yyjson_is_obj(error)) {
        message = yyjson_get_str(yyjson_obj_get(error, "message"));
        code = yyjson_get_str(yyjson_obj_get(error, "code"));
    }
    if (message) {
        error_set(err, code ? error_from_name(code) : ERR_INVALID_REQUEST, "%s", message);
    } else {
        error_set(err, ERR_INTERNAL, "The server answered with status %ld and no reason.",
                  status);
    }
    yyjson_doc_free(doc);
    return false;
}

static bool never_connected(const struct transfer *t, CURLcode code) {
    curl_off_t connected_after = 0;
    t->curl->easy_getinfo(t->easy, CURLINFO_CONNECT_TIME_T, &connected_after);
    return code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST ||
           (code == CURLE_OPERATION_TIMEDOUT && connected_after == 0);
}

static enum outcome tell_failure(const struct transfer *t, const struct cli *cli, CURLcode code,
                                 struct error *err) {
    char base[300];
    client_base(cli, base);
    if (never_connected(t, code)) {
        error_set(err, ERR_IO, "No server answers at %s; start it with `%s server start`.",
                  base, cli->program);
        return OUTCOME_UNREACHABLE;
    }
    if (t->too_large) {
        error_set(err, ERR_TOO_LARGE, "The server's answer is too large to be read.");
    } else if (code == CURLE_URL_MALFORMAT) {
        error_set(err, ERR_INVALID_REQUEST, "'%s' is not a host name or an address.",
                  cli->host);
    } else {
        error_set(err, ERR_IO,
                  "The server at %s ended the connection before its answer was whole (%s).",
                  base, t->reason[0] ? t->reason : t->curl->easy_strerror(code));
    }
    return OUTCOME_BROKEN;
}

static enum outcome transfer_judge(struct transfer *t, const struct cli *cli, CURLcode code,
                                   struct error *err) {
    long status = 0;
    if (code != CURLE_OK) return tell_failure(t, cli, code, err);
    t->curl->easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status / 100 == 2) return OUTCOME_DONE;
    client_read_error(buf_str(t->body), t->body->len, status, err);
    if (status == 401) error_set(err, ERR_API_KEY, "%s (DOZE_API_KEY sets it here)", err->text);
    return OUTCOME_REFUSED;
}

enum outcome client_call(const struct cli *cli, const struct call *call, struct buf *ret_body,
                         struct error *err) {
    const struct curl_library *curl = curl_library_get(err);
    if (!curl) return OUTCOME_BROKEN;
    struct transfer t = {
        .curl = curl, .call = call, .body = ret_body, .easy = curl->easy_init()
    };
    CURLM *multi = curl->multi_init();
    enum outcome outcome = OUTCOME_BROKEN;
    bool cancelled = false;
    sse_init(&t.sse, call->on_event, call->ctx);
    if (t.easy && multi) {
        transfer_set_up(&t, cli);
        curl->multi_add_handle(multi, t.easy);
        CURLcode code = transfer_run(&t, multi, &cancelled);
        outcome = cancelled ? OUTCOME_CANCELLED : transfer_judge(&t, cli, code, err);
        curl->multi_remove_handle(multi, t.easy);
    } else {
        error_set(err, ERR_INTERNAL, "libcurl could not be started.");
    }
    curl->slist_free_all(t.headers);
    curl->easy_cleanup(t.easy);
    curl->multi_cleanup(multi);
    sse_clear(&t.sse);
    return outcome;
}

enum outcome client_get(const struct cli *cli, const char *path, struct buf *ret_body,
                        struct error *err) {
    struct call call = { .method = "GET", .path = path, .cancel_fd = -1 };
    buf_init(ret_body, CLIENT_MAX_BODY);
    return client_call(cli, &call, ret_body, err);
}

enum cli_exit client_fail(enum outcome outcome, const struct error *err) {
    switch (outcome) {
    case OUTCOME_DONE:
        return CLI_DONE;
    case OUTCOME_CANCELLED:
        return CLI_FAILED;
    case OUTCOME_UNREACHABLE:
        return cli_fail(CLI_UNREACHABLE, "%s", err->text);
    case OUTCOME_REFUSED:
    case OUTCOME_BROKEN:
        return cli_fail(CLI_FAILED, "%s", err->text);
    }
    return CLI_FAILED;
}
