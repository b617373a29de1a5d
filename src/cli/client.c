/* SPDX-License-Identifier: MIT */
#include "cli/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/curl_library.h"
#include "base/file.h"
#include "base/json.h"
#include "base/user_dirs.h"
#include "base/xalloc.h"

enum {
    CONNECT_SECONDS = 10,
    POLL_MS = 1 << 20,
    MAX_URL = 2048,
    MAX_BODY = 64000000,
    MAX_SETTINGS = 1 << 20
};

/* Whether a call sends the API key. */
enum credentials { WITH_KEY, WITHOUT_KEY };

/* A running transfer. */
struct transfer {
    const struct curl_library *curl;
    const struct call *call;
    CURL *easy;
    struct curl_slist *headers;
    struct sse sse;
    struct buf sent, received;
    bool is_stream, too_large;
    enum credentials credentials;
    char *trust; /* the file with the certificates to trust; NULL: the system's */
    char reason[CURL_ERROR_SIZE];
};

/* Has a call found that the server speaks TLS? There is one server to a process. */
static bool found_tls;

static const char http_scheme[] = "http://", https_scheme[] = "https://";

static bool begins(const char *text, const char *with) {
    return strncasecmp(text, with, strlen(with)) == 0;
}

const char *client_host(const struct cli *cli) {
    const char *host = cli->host;
    if (begins(host, https_scheme)) host += strlen(https_scheme);
    if (begins(host, http_scheme)) host += strlen(http_scheme);
    if (strcmp(host, "0.0.0.0") == 0) return "127.0.0.1";
    return strcmp(host, "::") == 0 ? "::1" : host;
}

bool client_is_local(const struct cli *cli) {
    const char *host = client_host(cli);
    return strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0 ||
           strcmp(host, "[::1]") == 0 || strcmp(host, "localhost") == 0;
}

static bool speaks_tls(const struct cli *cli) {
    return found_tls || begins(cli->host, https_scheme);
}

void client_base(const struct cli *cli, char base[300]) {
    const char *host = client_host(cli);
    bool literal6 = strchr(host, ':') && host[0] != '[';
    snprintf(base, 300, "%s%s%.255s%s:%d", speaks_tls(cli) ? https_scheme : http_scheme,
             literal6 ? "[" : "", host, literal6 ? "]" : "", (int)cli->port.value);
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
    bool ok = t->is_stream ? sse_feed(&t->sse, bytes, len) : buf_add(&t->received, bytes, len);
    if (!ok) t->too_large = true;
    return ok ? len : 0;
}

static void add_header(struct transfer *t, const char *line) {
    struct curl_slist *longer = t->curl->slist_append(t->headers, line);
    if (longer) t->headers = longer;
}

/* For a server with the setting api_key; NULL: none is set. */
static const char *api_key(void) {
    const char *key = getenv("DOZE_API_KEY");
    return key && *key ? key : NULL;
}

/* The file that the setting tls_cert of this user's server names; NULL: none. */
static char *own_certificate(void) {
    struct buf text = BUF_INIT(MAX_SETTINGS);
    struct error ignored;
    char *dir = user_state_dir(), *path = xasprintf("%s/settings.json", dir), *cert = NULL;
    yyjson_doc *doc = NULL;
    if (file_read(path, &text, &ignored))
        doc = json_parse_object(buf_str(&text), text.len, &ignored);
    const char *named = json_find_str(yyjson_doc_get_root(doc), "tls_cert");
    if (named && access(named, R_OK) == 0) cert = xstrdup(named);
    yyjson_doc_free(doc);
    buf_clear(&text);
    free(path);
    free(dir);
    return cert;
}

/* On this machine, the server's own certificate is trusted whatever name is in it. */
static void set_trust(struct transfer *t, const struct cli *cli) {
    const char *named = getenv("SSL_CERT_FILE");
    if (client_is_local(cli)) t->trust = own_certificate();
    if (t->trust) t->curl->easy_setopt(t->easy, CURLOPT_SSL_VERIFYHOST, 0L);
    if (!t->trust && named && *named) t->trust = xstrdup(named);
    if (t->trust) t->curl->easy_setopt(t->easy, CURLOPT_CAINFO, t->trust);
}

/* The server is usually on this machine: no proxy, no redirect, HTTP only. */
static void transfer_set_up(struct transfer *t, const struct cli *cli) {
    char base[300], url[MAX_URL];
    client_base(cli, base);
    snprintf(url, sizeof url, "%s%s", base, t->call->path);
    t->curl->easy_setopt(t->easy, CURLOPT_URL, url);
    t->curl->easy_setopt(t->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    if (speaks_tls(cli)) set_trust(t, cli);
    t->curl->easy_setopt(t->easy, CURLOPT_NOPROXY, "*");
    t->curl->easy_setopt(t->easy, CURLOPT_NOSIGNAL, 1L);
    t->curl->easy_setopt(t->easy, CURLOPT_TCP_KEEPALIVE, 1L);
    t->curl->easy_setopt(t->easy, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    t->curl->easy_setopt(t->easy, CURLOPT_TIMEOUT, t->call->max_seconds);
    t->curl->easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST, t->call->method);
    t->curl->easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->reason);
    t->curl->easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_bytes);
    t->curl->easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
    if (api_key() && t->credentials == WITH_KEY) {
        char *line = xasprintf("Authorization: Bearer %s", api_key());
        add_header(t, line);
        free(line);
    }
    if (t->call->on_event) add_header(t, "Accept: text/event-stream, application/json");
    if (t->call->body) {
        add_header(t, "Content-Type: application/json");
        add_header(t, "Expect:"); /* or libcurl waits a second for 100-continue */
        t->curl->easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE, (long)t->sent.len);
        t->curl->easy_setopt(t->easy, CURLOPT_POSTFIELDS, buf_str(&t->sent));
    }
    t->curl->easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
}

/* Run to the end. curl_easy_perform would not wait for cancel_fd as well. */
static CURLcode transfer_run(struct transfer *t, CURLM *multi, bool *ret_cancelled) {
    struct curl_waitfd cancel = { .fd = t->call->cancel_fd, .events = CURL_WAIT_POLLIN };
    unsigned extra = t->call->cancel_fd > 0 ? 1 : 0;
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

/* The server speaks to all clients and names its endpoints; a person here has commands. */
static char *name_commands(const struct cli *cli, const char *message) {
    static const char *const names[][2] = {
        { "GET /api/v1/models", "ls" },           { "GET /v1/models", "ls" },
        { "GET /api/v1/settings", "settings" },   { "GET /api/v1/keys", "token ls" },
        { "load it with force", "load --force" }, /* of a model that finds no memory */
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *found = strstr(message, names[i][0]);
        if (!found) continue;
        return xasprintf("%.*s`%s %s`%s", (int)(found - message), message, cli->program,
                         names[i][1], found + strlen(names[i][0]));
    }
    return xstrdup(message);
}

void client_read_refusal(const struct cli *cli, const char *code, const char *message,
                         struct error *err) {
    char *text = name_commands(cli, message);
    error_set(err, error_from_name(code), "%s", text);
    free(text);
}

/* doc: NULL if the body is not JSON, which all that doze answers is. */
static void fail_without_reason(const struct cli *cli, const yyjson_doc *doc, long status,
                                struct error *err) {
    char base[300];
    client_base(cli, base);
    if (doc)
        error_set(err, ERR_INTERNAL, "The server answered with status %ld and no reason.",
                  status);
    else
        error_set(err, ERR_INTERNAL,
                  "What answers at %s (status %ld) is not doze; check --host and --port.", base,
                  status);
}

void client_read_error(const struct cli *cli, const char *body, size_t len, long status,
                       struct error *err) {
    struct error ignored;
    yyjson_doc *doc = json_parse_object(body, len, &ignored);
    yyjson_val *error = yyjson_obj_get(yyjson_doc_get_root(doc), "error");
    const char *code = json_find_str(error, "code");
    const char *message = yyjson_is_str(error) ? yyjson_get_str(error)
                                               : json_find_str(error, "message");
    if (status == 401) {
        error_set(err, ERR_API_KEY, "%s",
                  api_key() ? "The server does not accept the key in DOZE_API_KEY."
                            : "The server requires an API key; set DOZE_API_KEY to it.");
    } else if (message) {
        client_read_refusal(cli, code ? code : error_name(ERR_INVALID_REQUEST), message, err);
    } else {
        fail_without_reason(cli, doc, status, err);
    }
    yyjson_doc_free(doc);
}

static bool never_connected(const struct transfer *t, CURLcode code) {
    curl_off_t connected_after = 0;
    t->curl->easy_getinfo(t->easy, CURLINFO_CONNECT_TIME_T, &connected_after);
    return code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST ||
           (code == CURLE_OPERATION_TIMEDOUT && connected_after == 0);
}

/* Only a server on this machine can be started from here. */
static void fail_to_connect(const struct transfer *t, const struct cli *cli, const char *base,
                            struct error *err) {
    if (client_is_local(cli))
        error_set(err, ERR_IO, "No server answers at %s; start it with `%s server start`.",
                  base, cli->program);
    else
        error_set(
            err, ERR_IO,
            "No server answers at %s (%.60s); check the name, and there that doze listens "
            "to other machines (`doze serve --host 0.0.0.0`).",
            base, t->reason);
}

static enum outcome transfer_fail(const struct transfer *t, const struct cli *cli,
                                  CURLcode code, struct error *err) {
    char base[300];
    client_base(cli, base);
    if (never_connected(t, code)) {
        fail_to_connect(t, cli, base, err);
        return OUTCOME_UNREACHABLE;
    }
    if (t->too_large) {
        error_set(err, ERR_TOO_LARGE, "The server's answer is larger than %d MB.",
                  MAX_BODY / 1000000);
    } else if (code == CURLE_PEER_FAILED_VERIFICATION) {
        error_set(
            err, ERR_IO,
            "The certificate of %s is not trusted; set SSL_CERT_FILE to a file with it or "
            "its issuer, and use the name that is in it (%s).",
            base, t->reason);
    } else if (code == CURLE_SSL_CONNECT_ERROR) {
        error_set(err, ERR_IO, "There is no TLS with %s: %s.", base, t->reason);
    } else if (code == CURLE_URL_MALFORMAT) {
        error_set(err, ERR_INVALID_REQUEST, "'%s' is not a host name or an address.",
                  cli->host);
    } else {
        error_set(err, ERR_IO, "The connection to %s ended before the answer was complete: %s.",
                  base, t->reason[0] ? t->reason : t->curl->easy_strerror(code));
    }
    return OUTCOME_BROKEN;
}

/* The outcome of a transfer that libcurl ended with `code`. */
static enum outcome transfer_finish(const struct transfer *t, const struct cli *cli,
                                    CURLcode code, yyjson_doc **ret_answer, struct error *err) {
    long status = 0;
    if (code != CURLE_OK) return transfer_fail(t, cli, code, err);
    t->curl->easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status / 100 != 2) {
        client_read_error(cli, buf_str(&t->received), t->received.len, status, err);
        return OUTCOME_REFUSED;
    }
    yyjson_doc *answer = NULL;
    if (!t->is_stream) {
        answer = json_parse_object(buf_str(&t->received), t->received.len, err);
        if (!answer) return OUTCOME_BROKEN;
    }
    if (ret_answer)
        *ret_answer = answer;
    else
        yyjson_doc_free(answer);
    return OUTCOME_DONE;
}

static enum outcome transfer_perform(struct transfer *t, const struct cli *cli,
                                     yyjson_doc **ret_answer, struct error *err) {
    if (t->call->body && !json_write(t->call->body, &t->sent)) {
        error_set(err, ERR_TOO_LARGE, "The request is larger than %d MB.", MAX_BODY / 1000000);
        return OUTCOME_REFUSED;
    }
    CURLM *multi = t->curl->multi_init();
    if (!t->easy || !multi) {
        t->curl->multi_cleanup(multi);
        error_set(err, ERR_INTERNAL, "libcurl could not be started.");
        return OUTCOME_BROKEN;
    }
    bool cancelled = false;
    transfer_set_up(t, cli);
    t->curl->multi_add_handle(multi, t->easy);
    CURLcode code = transfer_run(t, multi, &cancelled);
    enum outcome outcome = cancelled ? OUTCOME_CANCELLED
                                     : transfer_finish(t, cli, code, ret_answer, err);
    t->curl->multi_remove_handle(multi, t->easy);
    t->curl->multi_cleanup(multi);
    return outcome;
}

static enum outcome call_once(const struct cli *cli, const struct call *call,
                              enum credentials credentials, yyjson_doc **ret_answer,
                              struct error *err) {
    const struct curl_library *curl = curl_library_get(err);
    if (!curl) return OUTCOME_BROKEN;
    struct transfer t = { .curl = curl,
                          .call = call,
                          .credentials = credentials,
                          .easy = curl->easy_init(),
                          .sent = BUF_INIT(MAX_BODY),
                          .received = BUF_INIT(MAX_BODY) };
    sse_init(&t.sse, call->on_event, call->ctx);
    enum outcome outcome = transfer_perform(&t, cli, ret_answer, err);
    curl->slist_free_all(t.headers);
    curl->easy_cleanup(t.easy);
    sse_clear(&t.sse);
    buf_clear(&t.sent);
    buf_clear(&t.received);
    free(t.trust);
    return outcome;
}

/* Does the answer say that the port speaks TLS? If so, later calls of this process use TLS. */
static bool learn_tls(const struct cli *cli, enum outcome outcome, const struct error *err) {
    bool fresh = outcome == OUTCOME_REFUSED && err->code == ERR_NO_TLS && !speaks_tls(cli);
    if (fresh) found_tls = true;
    return fresh;
}

/* A key must not cross the network in plain text because "https://" was forgotten: ask without
 * it first. */
static void look_for_tls(const struct cli *cli) {
    static bool looked;
    struct error err;
    struct call call = { .method = "GET", .path = "/health", .max_seconds = CONNECT_SECONDS };
    if (looked || !api_key() || client_is_local(cli) || speaks_tls(cli)) return;
    looked = true;
    (void)learn_tls(cli, call_once(cli, &call, WITHOUT_KEY, NULL, &err), &err);
}

enum outcome client_call(const struct cli *cli, const struct call *call,
                         yyjson_doc **ret_answer, struct error *err) {
    look_for_tls(cli);
    enum outcome outcome = call_once(cli, call, WITH_KEY, ret_answer, err);
    if (learn_tls(cli, outcome, err)) outcome = call_once(cli, call, WITH_KEY, ret_answer, err);
    return outcome;
}

enum outcome client_get(const struct cli *cli, const char *path, yyjson_doc **ret_answer,
                        struct error *err) {
    struct call call = { .method = "GET", .path = path };
    return client_call(cli, &call, ret_answer, err);
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
