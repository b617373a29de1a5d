/* SPDX-License-Identifier: MIT */
#include "api/ttl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

static const double max_seconds = 10.0 * 365 * 24 * 3600;

static bool refuse(struct error *err, const char *name, const char *accepted) {
    return error_set_param(
        err, ERR_INVALID_REQUEST, name,
        "'%s' must be %s, at most ten years; -1 means that the model stays loaded.", name,
        accepted);
}

/* Rounded up: a model is never unloaded before its time. */
static bool ttl_set(struct ttl *ret, double seconds) {
    if (!(seconds >= 0 && seconds <= max_seconds)) return false;
    *ret = (struct ttl){ .given = true, .value = (msec)ceil(seconds * 1000) };
    return true;
}

static void ttl_set_never(struct ttl *ret) {
    *ret = (struct ttl){ .given = true, .value = MSEC_NEVER };
}

static bool ttl_read(yyjson_val *val, struct ttl *ret, struct error *err) {
    if (yyjson_is_null(val) || (yyjson_is_num(val) && yyjson_get_num(val) == -1)) {
        ttl_set_never(ret);
        return true;
    }
    if (yyjson_is_num(val) && ttl_set(ret, yyjson_get_num(val))) return true;
    return refuse(err, "ttl", "a number of seconds");
}

struct unit {
    const char *name;
    double seconds;
};

/* Longer names first: "ms" begins with "m". Both ways of writing the micro sign. */
static const struct unit units[] = {
    { "ns", 1e-9 }, { "us", 1e-6 }, { "\xc2\xb5s", 1e-6 }, { "\xce\xbcs", 1e-6 },
    { "ms", 1e-3 }, { "s", 1 },     { "m", 60 },           { "h", 3600 },
};

static const struct unit *unit_find(const char *text) {
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strncmp(text, units[i].name, strlen(units[i].name)) == 0) return &units[i];
    }
    return NULL;
}

/* Decimal digits with at most one point; NULL if there are none. strtod would take "inf" and
 * "0x". */
static const char *number_read(const char *text, double *ret) {
    double value = 0, place = 0;
    int digits = 0;
    for (; *text == '.' || (*text >= '0' && *text <= '9'); text++) {
        if (*text == '.') {
            if (place != 0) return NULL;
            place = 1;
            continue;
        }
        digits++;
        value = value * 10 + (*text - '0');
        place *= 10;
    }
    *ret = place != 0 ? value / place : value;
    return digits > 0 && digits <= 18 ? text : NULL;
}

/* The durations of Go ("1h30m", "300ms", "-1m"), as Ollama takes them, and plain seconds
 * ("90"). */
static bool duration_parse(const char *text, double *ret_seconds) {
    double sign = *text == '-' ? -1 : 1, sum = 0, value = 0;
    if (*text == '-' || *text == '+') text++;
    const char *rest = number_read(text, &value);
    if (rest && *rest == '\0') {
        *ret_seconds = sign * value;
        return true;
    }
    if (*text == '\0') return false;
    while (*text) {
        rest = number_read(text, &value);
        const struct unit *unit = rest ? unit_find(rest) : NULL;
        if (!unit) return false;
        sum += value * unit->seconds;
        text = rest + strlen(unit->name);
    }
    *ret_seconds = sign * sum;
    return true;
}

/* Ollama's field: every negative value means "for ever", null means "not given". */
static bool keep_alive_read(yyjson_val *val, struct ttl *ret, struct error *err) {
    double seconds = 0;
    bool known = yyjson_is_num(val);
    if (known) seconds = yyjson_get_num(val);
    if (yyjson_is_str(val) && strlen(yyjson_get_str(val)) == yyjson_get_len(val)) {
        known = duration_parse(yyjson_get_str(val), &seconds);
    }
    if (known && seconds < 0) {
        ttl_set_never(ret);
        return true;
    }
    if (known && ttl_set(ret, seconds)) return true;
    return refuse(err, "keep_alive", "seconds or a duration like \"5m\"");
}

bool api_read_ttl(yyjson_val *body, struct ttl *ret_ttl, struct error *err) {
    yyjson_val *ttl = yyjson_obj_get(body, "ttl");
    if (ttl) return ttl_read(ttl, ret_ttl, err);
    yyjson_val *keep_alive = yyjson_obj_get(body, "keep_alive");
    if (keep_alive && !yyjson_is_null(keep_alive))
        return keep_alive_read(keep_alive, ret_ttl, err);
    *ret_ttl = (struct ttl){ 0 };
    return true;
}
