/* SPDX-License-Identifier: MIT */
#include "hub/hub_http.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/curl_library.h"
#include "base/xalloc.h"

enum { CONNECT_SECONDS = 30, STALLED_SECONDS = 60 };

struct hub_http {
    const struct curl_library *curl;
    const struct hub_environment *env;
    CURL *easy;
    const struct hub_call *call; /* the one that is being performed */
    struct hub_response *response;
};

bool hub_http_start(struct error *err) {
    static bool started;
    const struct curl_library *curl = curl_library_get(err);
    if (!curl) return false;
    if (!started) started = curl->global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    if (!started) return error_set(err, ERR_INTERNAL, "libcurl could not be started.");
    return true;
}

struct hub_http *hub_http_new(const struct hub_environment *env, struct error *err) {
    const struct curl_library *curl = curl_library_get(err);
    CURL *easy = curl ? curl->easy_init() : NULL;
    if (!easy) {
        if (curl) error_set(err, ERR_INTERNAL, "libcurl could not be started.");
        return NULL;
    }
    struct hub_http *http = xcalloc(1, sizeof *http);
    *http = (struct hub_http){ .curl = curl, .env = env, .easy = easy };
    return http;
}

void hub_http_free(struct hub_http *http) {
    if (!http) return;
    http->curl->easy_cleanup(http->easy);
    free(http);
}

/* ---- the head of the response ---- */

/* The value of a header line that has this name, without blanks around it; NULL: another. */
static const char *value_of(const char *line, size_t len, const char *name, size_t *ret_len) {
    size_t name_len = strlen(name);
    if (len <= name_len || line[name_len] != ':' || strncasecmp(line, name, name_len) != 0)
        return NULL;
    const char *value = line + name_len + 1, *end = line + len;
    while (value < end && isspace((unsigned char)*value)) value++;
    while (end > value && isspace((unsigned char)end[-1])) end--;
    *ret_len = (size_t)(end - value);
    return value;
}

static void copy(char *to, size_t size, const char *text, size_t len) {
    if (len >= size) len = 0; /* half of a URL is none */
    memcpy(to, text, len);
    to[len] = '\0';
}

static void copy_etag(struct hub_response *r, const char *text, size_t len) {
    if (len > 2 && strncmp(text, "W/", 2) == 0) text += 2, len -= 2;
    if (len >= 2 && text[0] == '"' && text[len - 1] == '"') text++, len -= 2;
    copy(r->etag, sizeof r->etag, text, len);
}

static nbytes number_of(const char *text) {
    return *text >= '0' && *text <= '9' ? strtoull(text, NULL, 10) : 0;
}

/* "bytes 100-199/1000" */
static void read_range(struct hub_response *r, const char *text) {
    const char *digits = strpbrk(text, "0123456789"), *slash = strchr(text, '/');
    if (digits && slash && digits < slash) r->range_begin = number_of(digits);
}

static void read_header(struct hub_response *r, const char *name, const char *value,
                        size_t len) {
    char text[64];
    copy(text, sizeof text, value, len);
    if (strcmp(name, "location") == 0) copy(r->location, sizeof r->location, value, len);
    if (strcmp(name, "link") == 0) copy(r->link, sizeof r->link, value, len);
    if (strcmp(name, "etag") == 0 && !r->etag[0]) copy_etag(r, value, len);
    if (strcmp(name, "x-linked-etag") == 0) copy_etag(r, value, len);
    if (strcmp(name, "content-range") == 0) read_range(r, text);
    if (strcmp(name, "x-linked-size") == 0) r->size = number_of(text);
    if (strcmp(name, "x-error-code") == 0)
        copy(r->answer.error_code, sizeof r->answer.error_code, value, len);
    if (strcmp(name, "retry-after") == 0) {
        nbytes seconds = number_of(text);
        r->answer.retry_after = seconds < 1000000 ? (int)seconds : 1000000;
    }
}

static size_t on_header(char *line, size_t size, size_t count, void *ctx) {
    static const char *const names[] = { "location",     "link",          "etag",
                                         "retry-after",  "x-linked-etag", "content-range",
                                         "x-error-code", "x-linked-size" };
    struct hub_http *http = ctx;
    size_t len = size * count, value_len;
    if (len > 5 && strncmp(line, "HTTP/", 5) == 0) *http->response = (struct hub_response){ 0 };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = value_of(line, len, names[i], &value_len);
        if (value) read_header(http->response, names[i], value, value_len);
    }
    return len;
}

/* ---- the request ---- */

static size_t on_bytes(char *bytes, size_t size, size_t count, void *ctx) {
    struct hub_http *http = ctx;
    size_t len = size * count;
    http->curl->easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE,
                             &http->response->answer.status);
    if (!http->call->on_body) return len;
    return http->call->on_body(http->call->ctx, http->response, bytes, len) ? len : 0;
}

static int on_progress(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d) {
    const struct hub_call *call = ((struct hub_http *)ctx)->call;
    (void)a, (void)b, (void)c, (void)d;
    return call->is_stopped && call->is_stopped(call->ctx);
}

/* CURLOPT_RESUME_FROM would take an answer of 200 for a failure. */
static void set_range(struct hub_http *http) {
    const struct hub_call *call = http->call;
    char range[64], to[24] = ""; /* libcurl copies it */
    if (call->to > 0) (void)snprintf(to, sizeof to, "%llu", (unsigned long long)call->to - 1);
    (void)snprintf(range, sizeof range, "%llu-%s", (unsigned long long)call->from, to);
    http->curl->easy_setopt(http->easy, CURLOPT_RANGE, range);
}

static void set_up(struct hub_http *http) {
    const struct curl_library *curl = http->curl;
    const struct hub_call *call = http->call;
    CURL *easy = http->easy;
    curl->easy_reset(easy); /* keeps the connection */
    curl->easy_setopt(easy, CURLOPT_URL, call->url);
    curl->easy_setopt(easy, CURLOPT_PROTOCOLS_STR, http->env->plain ? "http,https" : "https");
    curl_library_trust(curl, easy);
    curl->easy_setopt(easy, CURLOPT_NOBODY, call->head ? 1L : 0L);
    curl->easy_setopt(easy, CURLOPT_USERAGENT, "doze");
    curl->easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl->easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    curl->easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl->easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)STALLED_SECONDS);
    curl->easy_setopt(easy, CURLOPT_BUFFERSIZE, 256L << 10);
    curl->easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl->easy_setopt(easy, CURLOPT_HEADERDATA, http);
    curl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_bytes);
    curl->easy_setopt(easy, CURLOPT_WRITEDATA, http);
    curl_library_keep_sockets(curl, easy);
    curl->easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl->easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl->easy_setopt(easy, CURLOPT_XFERINFODATA, http);
    if (call->from > 0 || call->to > 0) set_range(http);
}

/* A response that is not compressed: its length is the file's. */
static struct curl_slist *headers_of(const struct hub_http *http) {
    struct curl_slist *list = http->curl->slist_append(NULL, "Accept-Encoding: identity");
    if (http->call->header) list = http->curl->slist_append(list, http->call->header);
    if (!http->call->token || !http->env->token) return list;
    char *line = xasprintf("Authorization: Bearer %s", http->env->token);
    struct curl_slist *longer = http->curl->slist_append(list, line);
    free(line);
    return longer ? longer : list;
}

void hub_http_perform(struct hub_http *http, const struct hub_call *call,
                      struct hub_response *ret) {
    char reason[CURL_ERROR_SIZE] = "";
    *ret = (struct hub_response){ 0 };
    http->call = call;
    http->response = ret;
    set_up(http);
    struct curl_slist *headers = headers_of(http);
    http->curl->easy_setopt(http->easy, CURLOPT_HTTPHEADER, headers);
    http->curl->easy_setopt(http->easy, CURLOPT_ERRORBUFFER, reason);
    CURLcode code = http->curl->easy_perform(http->easy);
    http->curl->easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &ret->answer.status);
    http->curl->easy_setopt(http->easy, CURLOPT_ERRORBUFFER, NULL);
    http->curl->slist_free_all(headers);
    if (code == CURLE_OK) return;
    ret->answer.status = 0;
    (void)snprintf(ret->answer.reason, sizeof ret->answer.reason, "%.127s",
                   reason[0] ? reason : http->curl->easy_strerror(code));
}
