/* SPDX-License-Identifier: MIT */
#include "base/duration.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct unit {
    const char *name;
    double msec, per_msec; /* one of them is 1; both, so that no unit is a rounded fraction */
};

/* "ms" stands before "m": the first that fits is taken. Both ways to write the micro sign. */
static const struct unit units[] = {
    { "d", 86400000, 1 }, { "h", 3600000, 1 },      { "ms", 1, 1 },
    { "m", 60000, 1 },    { "s", 1000, 1 },         { "us", 1, 1000 },
    { "ns", 1, 1000000 }, { "\xc2\xb5s", 1, 1000 }, { "\xce\xbcs", 1, 1000 },
};
static const struct unit seconds = { "", 1000, 1 };

static const struct unit *unit_find(const char *text) {
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strncmp(text, units[i].name, strlen(units[i].name)) == 0) return &units[i];
    }
    return NULL;
}

/* A decimal number is digits / place: "1.25" is 125 / 100. strtod would not do, it also takes
 * signs, exponents, "inf" and "0x". More than 18 digits would not be exact. */
struct number {
    double digits, place;
};

static bool number_read(const char **text, struct number *ret) {
    double digits = 0, place = 0;
    int count = 0;
    const char *at = *text;
    for (; *at == '.' || (*at >= '0' && *at <= '9'); at++) {
        if (*at == '.') {
            if (place != 0) return false;
            place = 1;
            continue;
        }
        digits = digits * 10 + (*at - '0');
        place *= 10;
        count++;
    }
    *text = at;
    *ret = (struct number){ digits, place != 0 ? place : 1 };
    return count > 0 && count <= 18;
}

bool duration_parse(const char *text, msec *ret_span) {
    double total = 0;
    const char *at = text;
    do {
        struct number number;
        bool first = at == text;
        if (!number_read(&at, &number)) return false;
        const struct unit *unit = first && *at == '\0' ? &seconds : unit_find(at);
        if (!unit) return false;
        at += strlen(unit->name);
        total += number.digits * unit->msec / (number.place * unit->per_msec);
    } while (*at);
    if (total > (double)DURATION_MAX) return false;
    *ret_span = (msec)ceil(total);
    return true;
}

void duration_format(msec span, char text[DURATION_TEXT]) {
    static const struct {
        const char *name;
        msec span;
    } shown[] = { { "d", 86400000 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 } };
    enum { SECONDS = sizeof shown / sizeof shown[0] - 1 };
    if (span == MSEC_NEVER) {
        snprintf(text, DURATION_TEXT, "none");
        return;
    }
    if (span > 0 && span < 1000) {
        snprintf(text, DURATION_TEXT, "%lldms", (long long)span);
        return;
    }
    if (span < 0) span = 0;
    size_t first = 0;
    while (first < SECONDS && span < shown[first].span) first++;
    int len = snprintf(text, DURATION_TEXT, "%lld%s", (long long)(span / shown[first].span),
                       shown[first].name);
    msec rest = span % shown[first].span;
    if (first == SECONDS || rest < shown[first + 1].span) return;
    snprintf(text + len, DURATION_TEXT - (size_t)len, "%lld%s",
             (long long)(rest / shown[first + 1].span), shown[first + 1].name);
}
