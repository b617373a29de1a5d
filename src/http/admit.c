/* SPDX-License-Identifier: MIT */
/* What a request may do, decided when its head is complete and before its body is asked for. */
#include <string.h>
#include <strings.h>

#include "http/access.h"
#include "http/internal.h"
#include "http/route.h"

static bool fail(struct exchange *x, const struct error *err) {
    exchange_fail(x, err);
    return false;
}

void exchange_refuse_late(struct exchange *x) {
    struct error err;
    (void)error_set(&err, ERR_INVALID_REQUEST,
                    "The request did not arrive in time; send it again without pauses.");
    exchange_refuse(x, 408, &err);
}

void exchange_refuse_busy(struct exchange *x) {
    struct error err;
    (void)byte_budget_refuse(x->conn->server->budget, &err);
    exchange_fail(x, &err);
}

/* The slowest of those that come too slowly; NULL: none does. */
static struct conn *find_slow(const struct exchange *but) {
    struct http_server *server = but->conn->server;
    const struct http_limits *limits = server->limits;
    struct conn *found = NULL;
    for (struct conn *c = server->conns; c; c = c->next) {
        uint64_t lost = (uint64_t)(limits->body - limits->body_slack);
        if (c->state != CONN_BODY || c->x == but || c->x->body_held == 0) continue;
        if (c->body_deadline > conn_now(c) + lost) continue;
        if (!found || c->body_deadline < found->body_deadline) found = c;
    }
    return found;
}

bool exchange_find_room(const struct exchange *x, size_t len, size_t more) {
    struct byte_budget *budget = x->conn->server->budget;
    struct conn *slow;
    while (!byte_budget_has_room(budget, len, budget->held + more)) {
        if (!(slow = find_slow(x))) return byte_budget_find_room(budget, len, more);
        exchange_refuse_late(slow->x);
    }
    return true;
}

/* Tell the browser that this page may read the answer. */
static void add_page(struct exchange *x, const struct access_rules *rules, const char *origin) {
    exchange_add_header(x, "Access-Control-Allow-Origin", rules->all ? "*" : origin);
    exchange_add_header(x, "Access-Control-Expose-Headers", "*");
    if (!rules->all) exchange_add_header(x, "Vary", "Origin");
}

/* The rules for browsers (access.h). A preflight has no key; what follows it has. */
static bool admit_page(struct exchange *x) {
    const struct http_server *server = x->conn->server;
    const struct http_options *options = &server->options;
    struct access_names names = { server->machine, x->conn->port->host };
    struct access_rules rules = options->rules(options->ctx);
    struct access_request request = {
        .host = x->request.target.authority, /* takes precedence over Host: RFC 9112, 3.2.2 */
        .origin = request_header(&x->request, "Origin"),
    };
    bool preflight = strcmp(x->request.method, "OPTIONS") == 0, foreign;
    struct error err;
    if (!request.host) request.host = request_header(&x->request, "Host");
    if (!access_check(&request, &names, &rules, &foreign, &err)) {
        request.has_key = options->has_key && options->has_key(options->ctx, x, preflight);
        if (!request.has_key || !access_check(&request, &names, &rules, &foreign, &err))
            return fail(x, &err);
    }
    if (foreign) add_page(x, &rules, request.origin);
    return true;
}

/* The headers that answer a browser's preflight. What is not allowed is refused earlier.
 */
static void add_preflight(struct exchange *x, const char *methods) {
    const char *wanted = request_header(&x->request, "Access-Control-Request-Headers");
    exchange_add_header(x, "Access-Control-Allow-Methods", methods);
    exchange_add_header(x, "Access-Control-Allow-Headers", wanted ? wanted : "*");
    exchange_add_header(x, "Access-Control-Max-Age", "600");
    if (request_header(&x->request, "Access-Control-Request-Private-Network")) {
        exchange_add_header(x, "Access-Control-Allow-Private-Network", "true");
    }
}

static bool admit_unless_options(struct exchange *x) {
    const struct http_options *options = &x->conn->server->options;
    const struct request *r = &x->request;
    if (strcmp(r->method, "OPTIONS") != 0) return true;
    struct buf methods = BUF_INIT(256);
    bool known = route_allowed(options->routes, options->route_count, r->target.path, &methods);
    if (strcmp(r->target.path, "*") == 0) {
        known = buf_add_str(&methods, "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
    }
    if (known && request_header(r, "Access-Control-Request-Method")) {
        add_preflight(x, buf_str(&methods));
    }
    if (known) {
        exchange_add_header(x, "Allow", buf_str(&methods));
        exchange_reply(x, 204, NULL, NULL, 0);
    }
    buf_clear(&methods);
    return !known; /* an unknown path is refused like any other */
}

static bool admit_route(struct exchange *x) {
    const struct http_options *options = &x->conn->server->options;
    const struct request *r = &x->request;
    struct route_match match = route_find(options->routes, options->route_count, r->method,
                                          r->target.path);
    if (options->on_request) options->on_request(options->ctx, r->method, r->target.path);
    x->route = match.route;
    x->param = match.param;
    if (match.route) return true;

    struct error err;
    struct buf methods = BUF_INIT(256);
    if (route_allowed(options->routes, options->route_count, r->target.path, &methods)) {
        (void)error_set(&err, ERR_METHOD, "%s is not allowed for %.120s; use one of %s.",
                        r->method, r->target.path, buf_str(&methods));
    } else {
        (void)error_set(&err, ERR_NOT_FOUND,
                        "There is no endpoint %s %.80s; check the base URL, or find it in GET "
                        "/api/openapi.json.",
                        r->method, r->target.path);
    }
    buf_clear(&methods);
    return fail(x, &err);
}

static bool admit_guarded(struct exchange *x) {
    const struct http_options *options = &x->conn->server->options;
    struct error err;
    if (x->route->access == HTTP_OPEN || !options->guard) return true;
    return options->guard(options->ctx, x, x->route->access, &err) || fail(x, &err);
}

static bool admit_body(struct exchange *x) {
    struct http_server *server = x->conn->server;
    struct request *r = &x->request;
    size_t max = x->route->max_body;
    if (max > 0 && server->options.body_limit) {
        size_t limit = server->options.body_limit(server->options.ctx);
        if (limit < max) max = limit;
    }
    bool allowed = max > 0 ? request_allow_body(r, max)
                           : request_ignore_body(r, server->limits->ignored_body);
    if (!allowed) {
        exchange_refuse(x, r->status, &r->err);
        return false;
    }
    /* Announced lengths are at most max_body here: the sum cannot overflow. */
    size_t len = (size_t)r->content_length;
    if (len > 0 && max > 0 && !exchange_find_room(x, len, len)) {
        exchange_refuse_busy(x);
        return false;
    }
    return true;
}

static bool admit_expectation(struct exchange *x) {
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    const struct request *r = &x->request;
    const char *expect = request_header(r, "Expect");
    if (!expect || r->http10) return true;
    if (strcasecmp(expect, "100-continue") != 0) {
        struct error err;
        (void)error_set(
            &err, ERR_INVALID_REQUEST,
            "The server supports only the expectation 100-continue; send that or none.");
        exchange_refuse(x, 417, &err);
        return false;
    }
    struct conn *c = x->conn;
    uv_buf_t buf = { .base = (char *)go_on, .len = sizeof go_on - 1 };
    if (r->has_body) conn_send_whole(c, &buf, 1);
    return c->x == x; /* NULL if sending broke the connection */
}

bool exchange_admit(struct exchange *x) {
    x->conn->keep_alive = x->request.keep_alive;
    return admit_page(x) && admit_unless_options(x) && admit_route(x) && admit_guarded(x) &&
           admit_body(x) && admit_expectation(x);
}
