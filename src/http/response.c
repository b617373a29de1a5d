/* SPDX-License-Identifier: MIT */
#include "http/response.h"

#include <string.h>
#include <time.h>

static const struct phrase {
    int status;
    const char *text;
} phrases[] = {
    { 101, "Switching Protocols" },
    { 200, "OK" },
    { 201, "Created" },
    { 202, "Accepted" },
    { 204, "No Content" },
    { 304, "Not Modified" },
    { 400, "Bad Request" },
    { 401, "Unauthorized" },
    { 403, "Forbidden" },
    { 404, "Not Found" },
    { 405, "Method Not Allowed" },
    { 406, "Not Acceptable" },
    { 408, "Request Timeout" },
    { 409, "Conflict" },
    { 413, "Content Too Large" },
    { 415, "Unsupported Media Type" },
    { 414, "URI Too Long" },
    { 417, "Expectation Failed" },
    { 426, "Upgrade Required" },
    { 429, "Too Many Requests" },
    { 431, "Request Header Fields Too Large" },
    { 500, "Internal Server Error" },
    { 501, "Not Implemented" },
    { 502, "Bad Gateway" },
    { 503, "Service Unavailable" },
    { 507, "Insufficient Storage" },
};

static const char *phrase_of(int status) {
    for (size_t i = 0; i < sizeof phrases / sizeof phrases[0]; i++) {
        if (phrases[i].status == status) return phrases[i].text;
    }
    return "";
}

/* IMF-fixdate (RFC 9110, 5.6.7), in English whatever the locale. */
static void add_date(struct buf *out, int64_t unix_seconds) {
    static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
    static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    time_t at = (time_t)unix_seconds;
    struct tm tm;
    if (!gmtime_r(&at, &tm)) return;
    (void)buf_addf(out, "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n", days[tm.tm_wday],
                   tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
                   tm.tm_sec);
}

static void add_framing(struct buf *out, const struct response_head *r) {
    switch (r->framing) {
    case RESPONSE_LENGTH:
        (void)buf_addf(out, "Content-Length: %zu\r\n", r->length);
        break;
    case RESPONSE_CHUNKED:
        (void)buf_add_str(out, "Transfer-Encoding: chunked\r\n");
        break;
    case RESPONSE_TO_END:
    case RESPONSE_NO_BODY:
        break;
    }
}

bool response_is_events(const char *content_type) {
    static const char *const types[] = { "text/event-stream", "application/x-ndjson" };
    for (size_t i = 0; content_type && i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(content_type, types[i]) == 0) return true;
    }
    return false;
}

/* nginx, and programs based on it, keep an answer until a buffer is full unless they are told.
 * */
static void add_no_delay(struct buf *out) {
    (void)buf_add_str(out, "Cache-Control: no-cache\r\nX-Accel-Buffering: no\r\n");
}

void response_format_head(const struct response_head *r, struct buf *out) {
    (void)buf_addf(out, "HTTP/1.1 %d %s\r\n", r->status, phrase_of(r->status));
    add_date(out, r->unix_seconds);
    if (r->content_type) (void)buf_addf(out, "Content-Type: %s\r\n", r->content_type);
    if (response_is_events(r->content_type)) add_no_delay(out);
    add_framing(out, r);
    bool upgrade = r->status == 101; /* has its own Connection header */
    if (!upgrade && !r->keep_alive) (void)buf_add_str(out, "Connection: close\r\n");
    if (!upgrade && r->keep_alive && r->http10) {
        (void)buf_add_str(out, "Connection: keep-alive\r\n");
    }
    if (r->extra) (void)buf_add(out, r->extra->data, r->extra->len);
    (void)buf_add_str(out, "\r\n");
}
