/* SPDX-License-Identifier: MIT */
#include "cli/duration.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const msec max_span = 3652LL * 86400 * 1000;

struct unit {
    const char *name;
    msec span;
};

/* Largest first. "ms" stands before "m": the first that fits is taken. */
static const struct unit units[] = {
    { "d", 86400000 }, { "h", 3600000 }, { "ms", 1 }, { "m", 60000 }, { "s", 1000 },
};

static const struct unit *unit_find(const char *text) {
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strncmp(text, units[i].name, strlen(units[i].name)) == 0) return &units[i];
    }
    return NULL;
}

/* Read "12.5" without the sign, exponent, hex and words that strtod takes. */
static bool number_read(const char **text, double *ret_number) {
    size_t len = strspn(*text, "0123456789.");
    char copy[32], *end = NULL;
    if (len == 0 || len >= sizeof copy) return false;
    memcpy(copy, *text, len);
    copy[len] = '\0';
    *ret_number = strtod(copy, &end);
    *text += len;
    return *end == '\0';
}

bool duration_parse(const char *text, msec *ret_span) {
    if (strcmp(text, "none") == 0 || strcmp(text, "-1") == 0) {
        *ret_span = MSEC_NEVER;
        return true;
    }
    double total = 0;
    bool bare = true;
    if (*text == '\0') return false;
    while (*text) {
        double number = 0;
        if (!bare || !number_read(&text, &number)) return false;
        const struct unit *unit = unit_find(text);
        bare = unit != NULL; /* a number without a unit can only be the last thing */
        total += number * (unit ? (double)unit->span : 1000);
        if (unit) text += strlen(unit->name);
    }
    if (total > (double)max_span) return false;
    *ret_span = (msec)llround(total);
    return true;
}

void duration_format(msec span, char text[DURATION_TEXT]) {
    if (span == MSEC_NEVER) {
        snprintf(text, DURATION_TEXT, "none");
        return;
    }
    if (span > 0 && span < 1000) {
        snprintf(text, DURATION_TEXT, "%lldms", (long long)span);
        return;
    }
    static const struct unit shown[] = {
        { "d", 86400000 },
        { "h", 3600000 },
        { "m", 60000 },
        { "s", 1000 },
    };
    size_t count = sizeof shown / sizeof shown[0], first = 0;
    if (span < 0) span = 0;
    while (first + 1 < count && span < shown[first].span) first++;
    int len = snprintf(text, DURATION_TEXT, "%lld%s", (long long)(span / shown[first].span),
                       shown[first].name);
    msec rest = span % shown[first].span;
    if (first + 1 == count || rest < shown[first + 1].span) return;
    snprintf(text + len, DURATION_TEXT - (size_t)len, "%lld%s",
             (long long)(rest / shown[first + 1].span), shown[first + 1].name);
}

void size_format(nbytes bytes, char text[SIZE_TEXT]) {
    static const char *const names[] = { "B", "KB", "MB", "GB", "TB", "PB", "EB" };
    size_t i = 0;
    double amount = (double)bytes;
    for (; amount >= 999.995 && i + 1 < sizeof names / sizeof names[0]; i++) amount /= 1000;
    snprintf(text, SIZE_TEXT, i == 0 ? "%.0f %s" : "%.2f %s", amount, names[i]);
}
