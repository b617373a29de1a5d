/* SPDX-License-Identifier: MIT */
#include "api/ttl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/json.h"

static bool refuse(struct error *err, const char *name, const char *accepted) {
    return error_set_param(err, ERR_INVALID_REQUEST, name,
                           "'%s' must be %s up to ten years, or -1 to keep the model loaded.",
                           name, accepted);
}

/* Rounded up: a model is never unloaded before its time. */
static bool ttl_set(struct ttl *ret, double seconds) {
    if (!(seconds >= 0 && seconds * 1000 <= (double)DURATION_MAX)) return false;
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

/* Ollama's durations are Go's, with a sign ("1h30m", "-1m"), or plain seconds ("90"). */
static bool keep_alive_parse(const char *text, struct ttl *ret) {
    msec span;
    bool negative = *text == '-';
    if (*text == '-' || *text == '+') text++;
    if (!duration_parse(text, &span)) return false;
    *ret = (struct ttl){ .given = true, .value = negative && span > 0 ? MSEC_NEVER : span };
    return true;
}

/* Ollama's field. A negative value means that the model stays loaded. */
static bool keep_alive_read(yyjson_val *val, struct ttl *ret, struct error *err) {
    const char *text = yyjson_get_str(val);
    if (text && strlen(text) == yyjson_get_len(val) && keep_alive_parse(text, ret)) return true;
    if (yyjson_is_num(val) && yyjson_get_num(val) < 0) {
        ttl_set_never(ret);
        return true;
    }
    if (yyjson_is_num(val) && ttl_set(ret, yyjson_get_num(val))) return true;
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
