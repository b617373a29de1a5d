/* SPDX-License-Identifier: MIT */
#include "base/size.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"

static const double size_max = 9007199254740992.0; /* 2^53: exact in JSON */

static bool is_word(const char *text, const char *word) {
    return ascii_equal(text, strlen(text), word, strlen(word));
}

/* 0 if the text is no unit. */
static double unit_read(const char *text) {
    static const char letters[] = "KMGT";
    double decimal = 1, binary = 1;
    if (*text == '\0' || is_word(text, "b")) return 1;
    for (const char *letter = letters; *letter; letter++) {
        decimal *= 1000;
        binary *= 1024;
        if (ascii_lower(*text) != ascii_lower(*letter)) continue;
        if (text[1] == '\0' || is_word(text + 1, "b")) return decimal;
        return is_word(text + 1, "ib") ? binary : 0;
    }
    return 0;
}

bool size_parse(const char *text, nbytes *ret_bytes) {
    char number[24], *end = NULL;
    size_t len = strspn(text, "0123456789."); /* strtod also takes signs, "inf" and "0x" */
    if (len == 0 || len >= sizeof number) return false;
    memcpy(number, text, len);
    number[len] = '\0';
    double bytes = strtod(number, &end);
    text += len;
    if (text[0] == ' ' && text[1]) text++;
    double unit = unit_read(text);
    if (end == number || *end != '\0' || unit == 0 || bytes * unit > size_max) return false;
    *ret_bytes = (nbytes)llround(bytes * unit);
    return true;
}

void size_format(nbytes bytes, char text[SIZE_TEXT]) {
    static const char *const units[] = { "B", "KB", "MB", "GB", "TB", "PB", "EB" };
    size_t i = 0;
    double amount = (double)bytes;
    for (; amount >= 999.995 && i + 1 < sizeof units / sizeof units[0]; i++) amount /= 1000;
    snprintf(text, SIZE_TEXT, i == 0 ? "%.0f %s" : "%.2f %s", amount, units[i]);
}
