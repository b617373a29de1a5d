/* SPDX-License-Identifier: MIT */
#include "http/request.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/xalloc.h"

enum { FIELD_OVERHEAD = 4, FIRST_FIELDS = 16 };

/* Note why the request is refused; returns what a callback of llhttp returns for it (which some
 * of them pass on and others turn into an error code of their own). */
static int refuse(struct request *r, int status, enum err_code code, const char *text) {
    r->status = status;
    (void)error_set(&r->err, code, "%s", text);
    return HPE_USER;
}

static int refuse_head_bytes(struct request *r) {
    return refuse(r, 431, ERR_TOO_LARGE,
                  "The request headers are too long; send fewer of them.");
}

static int on_url(llhttp_t *parser, const char *at, size_t len) {
    struct request *r = parser->data;
    const char *method = llhttp_method_name((llhttp_method_t)llhttp_get_method(parser));
    size_t line = strlen(method) + strlen("  HTTP/1.1") + r->text.len + len;
    if (line > r->limits->request_line) {
        return refuse(r, 414, ERR_TOO_LARGE,
                      "The request line is too long; move long values into the body.");
    }
    return buf_add(&r->text, at, len) ? HPE_OK : refuse_head_bytes(r);
}

static int on_url_complete(llhttp_t *parser) {
    struct request *r = parser->data;
    return buf_add(&r->text, "", 1) ? HPE_OK : refuse_head_bytes(r);
}

/* Names and values of the head are kept and counted, those of trailers only counted. */
static int add_field_text(struct request *r, const char *at, size_t len) {
    if (r->phase == REQUEST_IN_BODY) {
        r->trailer_bytes += len;
        if (r->trailer_bytes <= r->limits->trailer_bytes) return HPE_OK;
        return refuse(r, 431, ERR_TOO_LARGE,
                      "The trailers of the body are too long; omit them.");
    }
    r->field_bytes += len;
    if (r->field_bytes > r->limits->header_bytes) return refuse_head_bytes(r);
    return buf_add(&r->text, at, len) ? HPE_OK : refuse_head_bytes(r);
}

static void field_begin(struct request *r) {
    if (r->field_count == r->field_room) {
        r->field_room = r->field_room ? 2 * r->field_room : FIRST_FIELDS;
        r->fields = xrealloc(r->fields, r->field_room * sizeof *r->fields);
    }
    r->fields[r->field_count] = (struct request_field){ .name = (uint32_t)r->text.len };
}

static int on_field(llhttp_t *parser, const char *at, size_t len) {
    struct request *r = parser->data;
    bool first = r->field_count == 0 || r->fields[r->field_count - 1].value;
    if (r->phase == REQUEST_IN_HEAD && first) {
        if (r->field_count == r->limits->header_fields) {
            return refuse(r, 431, ERR_TOO_LARGE,
                          "The request has too many headers; send fewer of them.");
        }
        field_begin(r);
        r->field_count++;
    }
    return add_field_text(r, at, len);
}

static int on_field_complete(llhttp_t *parser) {
    struct request *r = parser->data;
    if (r->phase == REQUEST_IN_BODY) return add_field_text(r, "----", FIELD_OVERHEAD);
    if (!buf_add(&r->text, "", 1)) return refuse_head_bytes(r);
    assert(r->field_count > 0);
    r->fields[r->field_count - 1].value = (uint32_t)r->text.len;
    r->field_bytes += FIELD_OVERHEAD;
    return HPE_OK;
}

static int on_value(llhttp_t *parser, const char *at, size_t len) {
    return add_field_text(parser->data, at, len);
}

static int on_value_complete(llhttp_t *parser) {
    struct request *r = parser->data;
    if (r->phase == REQUEST_IN_BODY) return HPE_OK;
    size_t start = r->fields[r->field_count - 1].value;
    while (r->text.len > start && strchr(" \t", r->text.data[r->text.len - 1])) r->text.len--;
    return buf_add(&r->text, "", 1) ? HPE_OK : refuse_head_bytes(r);
}

static size_t count_header(const struct request *r, const char *name) {
    size_t count = 0;
    for (size_t i = 0; i < r->field_count; i++) {
        if (strcasecmp(r->text.data + r->fields[i].name, name) == 0) count++;
    }
    return count;
}

static int bad_head(struct request *r, const char *text) {
    return refuse(r, 400, ERR_INVALID_REQUEST, text);
}

/* What llhttp does not check: version, Host, codings before chunked (it refuses those after).
 */
static int check_head(struct request *r) {
    if (r->parser.http_major != 1 || r->parser.http_minor > 1) {
        return bad_head(r, "Only HTTP/1.1 and HTTP/1.0 are spoken here; use one of them.");
    }
    size_t hosts = count_header(r, "Host");
    if (hosts > 1 || (hosts == 0 && !r->http10)) {
        return bad_head(r, "A request needs one Host header, and only one.");
    }
    const char *coding = request_header(r, "Transfer-Encoding");
    bool odd = coding && (strcasecmp(coding, "chunked") != 0 || r->http10);
    if (odd) return bad_head(r, "The only Transfer-Encoding known here is chunked; send that.");
    return HPE_OK;
}

static int on_headers_complete(llhttp_t *parser) {
    struct request *r = parser->data;
    r->method = llhttp_method_name((llhttp_method_t)llhttp_get_method(parser));
    r->http10 = parser->http_minor == 0;
    r->keep_alive = llhttp_should_keep_alive(parser);
    r->chunked = (parser->flags & F_CHUNKED) != 0;
    r->content_length = parser->flags & F_CONTENT_LENGTH ? parser->content_length : 0;
    r->has_body = r->chunked || r->content_length > 0;
    int bad = check_head(r);
    if (bad) return bad;
    if (!target_parse(&r->target, r->text.data, &r->err)) {
        r->status = error_status(r->err.code);
        return HPE_USER;
    }
    r->phase = REQUEST_IN_BODY;
    return HPE_PAUSED;
}

static int refuse_broken_body(struct request *r) {
    return refuse(
        r, 400, ERR_INVALID_REQUEST,
        "The body is not what its Content-Encoding says; send gzip, deflate or none.");
}

/* What has come may hold no more than this: a few bytes would keep the loop busy for long. */
static size_t most_inflated(const struct request *r) {
    const struct http_limits *limits = r->limits;
    size_t most = limits->inflated_free + limits->inflated_times * r->body_received;
    return most < r->body_max ? most : r->body_max;
}

static int refuse_inflated(struct request *r) {
    if (r->body.max == r->body_max)
        return refuse(r, 413, ERR_TOO_LARGE,
                      "The request body is too long once inflated; send a shorter one.");
    return refuse(r, 413, ERR_TOO_LARGE,
                  "The request body inflates to too many times its length; send it without "
                  "Content-Encoding.");
}

static int add_inflated(struct request *r, const char *at, size_t len) {
    r->body.max = most_inflated(r);
    switch (inflater_feed(r->inflater, at, len, &r->body)) {
    case INFLATER_OK:
        return HPE_OK;
    case INFLATER_TOO_LARGE:
        return refuse_inflated(r);
    case INFLATER_BROKEN:
        break;
    }
    return refuse_broken_body(r);
}

static int on_body(llhttp_t *parser, const char *at, size_t len) {
    struct request *r = parser->data;
    if (len > r->body_max - r->body_received) {
        return refuse(r, 413, ERR_TOO_LARGE,
                      "The request body is too long; send a shorter one.");
    }
    r->body_received += len;
    if (r->inflater) return add_inflated(r, at, len);
    if (r->body_stored) (void)buf_add(&r->body, at, len);
    return HPE_OK;
}

static int on_chunk_extension(llhttp_t *parser, const char *at, size_t len) {
    struct request *r = parser->data;
    (void)at;
    r->extension_bytes += len;
    if (r->extension_bytes <= r->limits->chunk_extensions) return HPE_OK;
    return refuse(r, 413, ERR_TOO_LARGE, "The chunk extensions are too long; omit them.");
}

static int on_message_complete(llhttp_t *parser) {
    struct request *r = parser->data;
    if (r->inflater && r->has_body && !inflater_ended(r->inflater))
        return refuse_broken_body(r);
    inflater_free(r->inflater);
    r->inflater = NULL;
    r->phase = REQUEST_COMPLETE;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_url = on_url,
    .on_url_complete = on_url_complete,
    .on_header_field = on_field,
    .on_header_field_complete = on_field_complete,
    .on_header_value = on_value,
    .on_header_value_complete = on_value_complete,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_chunk_extension_name = on_chunk_extension,
    .on_chunk_extension_value = on_chunk_extension,
    .on_message_complete = on_message_complete,
};

void http_request_init(struct request *r, const struct http_limits *limits) {
    *r = (struct request){ .limits = limits, .phase = REQUEST_IN_HEAD };
    llhttp_init(&r->parser, HTTP_REQUEST, &settings);
    r->parser.data = r;
    /* Every text in it is counted by a limit of its own; NULs come on top. */
    buf_init(&r->text, limits->request_line + limits->header_bytes + 1);
}

void http_request_clear(struct request *r) {
    target_clear(&r->target);
    buf_clear(&r->text);
    buf_clear(&r->body);
    inflater_free(r->inflater);
    r->inflater = NULL;
    free(r->fields);
    r->fields = NULL;
}

static enum request_step broken(struct request *r, llhttp_errno_t code) {
    r->phase = REQUEST_BROKEN;
    if (r->status) return REQUEST_BAD;
    const char *reason = llhttp_get_error_reason(&r->parser);
    r->status = 400;
    (void)error_set(&r->err, ERR_INVALID_REQUEST, "This is not a valid HTTP/1.1 request: %s.",
                    reason && *reason ? reason : llhttp_errno_name(code));
    return REQUEST_BAD;
}

static enum request_step feed_parser(struct request *r, const char *bytes, size_t len,
                                     size_t *ret_used) {
    llhttp_errno_t code = llhttp_execute(&r->parser, bytes, len);
    *ret_used = len;
    if (code == HPE_OK) return REQUEST_MORE;
    const char *stop = llhttp_get_error_pos(&r->parser);
    if (stop) *ret_used = (size_t)(stop - bytes);
    if (code != HPE_PAUSED) return broken(r, code);
    llhttp_resume(&r->parser);
    return r->phase == REQUEST_COMPLETE ? REQUEST_DONE : REQUEST_HEAD;
}

enum request_step request_feed(struct request *r, const char *bytes, size_t len,
                               size_t *ret_used) {
    assert(r->phase == REQUEST_IN_HEAD || r->phase == REQUEST_IN_BODY);
    if (r->phase == REQUEST_IN_BODY) return feed_parser(r, bytes, len, ret_used);

    /* No callback reports blanks around values and empty lines before the request. */
    size_t room = r->limits->request_line + r->limits->header_bytes - r->head_bytes;
    size_t part = len < room ? len : room;
    enum request_step step = feed_parser(r, bytes, part, ret_used);
    r->head_bytes += *ret_used;
    if (step != REQUEST_MORE || part == len) return step;
    return broken(r, (llhttp_errno_t)refuse_head_bytes(r));
}

static bool expect_body(struct request *r, size_t max, bool stored) {
    assert(r->phase == REQUEST_IN_BODY);
    if (r->content_length > max) {
        r->status = 413;
        return error_set(&r->err, ERR_TOO_LARGE,
                         "The request body has %llu bytes; send at most %zu.",
                         (unsigned long long)r->content_length, max);
    }
    r->body_max = max;
    r->body_stored = stored;
    buf_init(&r->body, max);
    return true;
}

static bool choose_coding(struct request *r) {
    static const char *const known[] = { "gzip", "x-gzip", "deflate" };
    const char *coding = request_header(r, "Content-Encoding");
    if (!coding || !*coding || strcasecmp(coding, "identity") == 0) return true;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcasecmp(coding, known[i]) != 0) continue;
        r->inflater = inflater_new();
        return true;
    }
    r->status = 415;
    return error_set(&r->err, ERR_INVALID_REQUEST,
                     "The Content-Encoding '%.40s' is not known here; send the body with gzip, "
                     "deflate or none.",
                     coding);
}

bool request_allow_body(struct request *r, size_t max) {
    return expect_body(r, max, true) && choose_coding(r);
}

bool request_ignore_body(struct request *r, size_t max) {
    return expect_body(r, max, false);
}

const char *request_header(const struct request *r, const char *name) {
    for (size_t i = 0; i < r->field_count; i++) {
        const char *field = r->text.data + r->fields[i].name;
        if (strcasecmp(field, name) == 0) return r->text.data + r->fields[i].value;
    }
    return NULL;
}
