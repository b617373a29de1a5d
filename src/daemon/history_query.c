/* SPDX-License-Identifier: MIT */
#include "daemon/history_query.h"

#include <stdlib.h>
#include <string.h>

static const msec day = 86400000;
static const msec longest_span = 3652 * INT64_C(86400000);

enum { MAX_DIGITS = 15 }; /* of a point in time: the year 33658 */

static msec unit_of(char letter) {
    switch (letter) {
    case 'd':
        return day;
    case 'h':
        return 3600000;
    case 'm':
        return 60000;
    case 's':
        return 1000;
    default:
        return 0;
    }
}

/* Digits only: strtoll alone takes signs and spaces, too. */
static bool read_digits(const char *text, int64_t *ret_number, const char **ret_rest) {
    size_t len = strspn(text, "0123456789");
    if (len == 0 || len > MAX_DIGITS) return false;
    *ret_number = strtoll(text, NULL, 10);
    *ret_rest = text + len;
    return true;
}

static bool read_point(const char *text, msec now, msec *ret_point) {
    int64_t number;
    const char *rest;
    if (!read_digits(text, &number, &rest)) return false;
    if (*rest == '\0') {
        *ret_point = number;
        return true;
    }
    msec unit = unit_of(*rest);
    if (unit == 0 || rest[1] != '\0' || number > longest_span / unit) return false;
    *ret_point = now - number * unit;
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
    const char *rest = "";
    if (!text) return true;
    if (read_digits(text, limit, &rest) && *rest == '\0' && *limit >= 1 &&
        *limit <= HISTORY_LIMIT_MAX) {
        return true;
    }
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
