/* SPDX-License-Identifier: MIT */
#include "base/percent.h"

#include <string.h>

#include "base/ascii.h"

static bool is_plain(char c, const char *plain) {
    char lower = ascii_lower(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || strchr(plain, c);
}

bool percent_encode(struct buf *out, const char *text, const char *plain) {
    bool ok = true;
    for (; *text && ok; text++) {
        ok = is_plain(*text, plain) ? buf_add(out, text, 1)
                                    : buf_addf(out, "%%%02X", (unsigned)(unsigned char)*text);
    }
    return ok;
}

static int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    char lower = ascii_lower(c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool percent_decode(char *text) {
    char *out = text;
    for (const char *in = text; *in; in++) {
        if (*in != '%') {
            *out++ = *in;
            continue;
        }
        int high = hex_value(in[1]);
        int low = high < 0 ? -1 : hex_value(in[2]);
        if (low < 0 || high + low == 0) return false;
        *out++ = (char)(high * 16 + low);
        in += 2;
    }
    *out = '\0';
    return true;
}
