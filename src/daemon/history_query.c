/* SPDX-License-Identifier: MIT */
#include "daemon/history_query.h"

#include <stdlib.h>
#include <string.h>

#include "base/duration.h"

static const msec day = 86400000;

enum { MAX_DIGITS = 15 }; /* of a point in time: the year 33658 */

/* Digits only: strtoll also accepts signs and spaces. */
static bool read_digits(const char *text, int64_t *ret_number) {
    size_t len = strspn(text, "0123456789");
    if (len == 0 || len > MAX_DIGITS || text[len]) return false;
    *ret_number = strtoll(text, NULL, 10);
    return true;
}

/* A span must have a unit: a plain number is a point in time. */
static bool read_point(const char *text, msec now, msec *ret_point) {
    msec span;
    if (read_digits(text, ret_point)) return true;
    if (text[strspn(text, "0123456789.")] == '\0' || !duration_parse(text, &span)) return false;
    *ret_point = now - span;
    return true;
}

static bool take_point(const char *name, const char *text, msec now, msec *point,
                       struct error *err) {
    if (!text || read_point(text, now, point)) return true;
    return error_set_param(err, ERR_INVALID_REQUEST, name,
                           "'%s' must be Unix milliseconds or a span before now like \"1d\", "
                           "\"12h\", \"30m\", at most ten years.",
                           name);
}

static bool take_limit(const char *text, int64_t *limit, struct error *err) {
    if (!text) return true;
    if (read_digits(text, limit) && *limit >= 1 && *limit <= HISTORY_LIMIT_MAX) return true;
    return error_set_param(err, ERR_INVALID_REQUEST, "limit", "'limit' must be 1 to %d.",
                           HISTORY_LIMIT_MAX);
}

bool history_query_parse(const char *since, const char *until, const char *limit, msec now,
                         struct history_query *ret_query, struct error *err) {
    struct history_query q = { .until = now, .limit = HISTORY_LIMIT_DEFAULT };
    if (!take_point("until", until, now, &q.until, err)) return false;
    q.from = q.until - day;
    if (!take_point("since", since, now, &q.from, err)) return false;
    if (!take_limit(limit, &q.limit, err)) return false;
    if (q.from > q.until) {
        return error_set_param(err, ERR_INVALID_REQUEST, "since",
                               "'since' must not be later than 'until'.");
    }
    *ret_query = q;
    return true;
}
