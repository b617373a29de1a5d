/* SPDX-License-Identifier: MIT */
#include "cli/fields.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "base/json.h"

const char *field_str(yyjson_val *obj, const char *name) {
    return json_find_text(obj, name);
}

double field_num(yyjson_val *obj, const char *name, double missing) {
    yyjson_val *val = yyjson_obj_get(obj, name);
    double number = yyjson_is_num(val) ? yyjson_get_num(val) : missing;
    return isfinite(number) && fabs(number) < 9e15 ? number : missing;
}

int64_t field_int(yyjson_val *obj, const char *name) {
    return (int64_t)field_num(obj, name, 0);
}

nbytes field_bytes(yyjson_val *obj, const char *name) {
    double number = field_num(obj, name, 0);
    return number > 0 ? (nbytes)number : 0;
}

msec field_span(yyjson_val *obj, const char *name) {
    double seconds = field_num(obj, name, -1);
    return seconds < 0 || seconds > 1e12 ? MSEC_NEVER : (msec)(seconds * 1000);
}

msec field_time(yyjson_val *obj, const char *name) {
    struct tm tm = { 0 };
    const char *rest = strptime(field_str(obj, name), "%Y-%m-%dT%H:%M:%S", &tm);
    if (!rest) return 0;
    double fraction = *rest == '.' ? strtod(rest, NULL) : 0;
    return (msec)timegm(&tm) * 1000 + llround(fraction * 1000);
}
