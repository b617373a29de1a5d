/* SPDX-License-Identifier: MIT */
#include "cli/text.h"

#include <ctype.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

void text_init(void) {
    (void)(setlocale(LC_CTYPE, "C.UTF-8") || setlocale(LC_CTYPE, ""));
}

/* Bytes of the character at text, and its columns. A byte that is none is shown as '?'. */
static size_t next_char(const char *text, size_t len, int *ret_width, bool *ret_safe) {
    mbstate_t state = { 0 };
    wchar_t wide = 0;
    size_t used = mbrtowc(&wide, text, len, &state);
    bool whole = used != 0 && used != (size_t)-1 && used != (size_t)-2;
    int width = whole ? wcwidth(wide) : -1;
    *ret_safe = width >= 0;
    *ret_width = width >= 0 ? width : 1;
    return whole ? used : 1;
}

int text_width(const char *text, size_t len) {
    int total = 0;
    for (size_t i = 0; i < len;) {
        int width = 0;
        bool safe = false;
        i += next_char(text + i, len - i, &width, &safe);
        total += width;
    }
    return total;
}

size_t text_word(const char *text) {
    size_t i = 0;
    for (; text[i]; i++) {
        unsigned char before = i > 0 ? (unsigned char)text[i - 1] : 0;
        bool unit = text[i] == ' ' && isdigit(before) && isalpha((unsigned char)text[i + 1]);
        if (strchr(" -_/@", text[i]) && !unit) return i + 1;
    }
    return i;
}

void text_add_safe(struct buf *out, const char *text, size_t len) {
    for (size_t i = 0; i < len;) {
        int width = 0;
        bool safe = false;
        size_t used = next_char(text + i, len - i, &width, &safe);
        if (text[i] == '\n' || text[i] == '\t') safe = true;
        if (safe) {
            buf_add(out, text + i, used);
        } else {
            buf_add(out, "?", 1);
        }
        i += used;
    }
}

/* The longest beginning of the text that is at most this wide, in bytes. */
static size_t bytes_within(const char *text, size_t len, int most) {
    size_t i = 0;
    while (i < len) {
        int width = 0;
        bool safe = false;
        size_t used = next_char(text + i, len - i, &width, &safe);
        most -= width;
        if (most < 0) break;
        i += used;
    }
    return i;
}

void text_add_short(struct buf *out, const char *text, size_t len, int width) {
    int whole = text_width(text, len);
    if (whole <= width) {
        buf_add(out, text, len);
        return;
    }
    size_t front = bytes_within(text, len, width / 2);
    int behind = width - 1 - text_width(text, front);
    size_t end = front;
    while (text_width(text + end, len - end) > behind) {
        int ignored_width = 0;
        bool ignored_safe = false;
        end += next_char(text + end, len - end, &ignored_width, &ignored_safe);
    }
    buf_add(out, text, front);
    buf_add_str(out, "…");
    buf_add(out, text + end, len - end);
}

bool text_moves_cursor(FILE *stream) {
    const char *term = getenv("TERM");
    return term && strcmp(term, "dumb") != 0 && isatty(fileno(stream));
}

bool text_colored(FILE *stream) {
    const char *no_color = getenv("NO_COLOR");
    return !(no_color && *no_color) && text_moves_cursor(stream);
}

const char *text_begin(FILE *stream, enum text_style style) {
    static const char *const escapes[] = {
        [STYLE_PLAIN] = "",         [STYLE_BOLD] = "\033[1m",    [STYLE_DIM] = "\033[2m",
        [STYLE_GREEN] = "\033[32m", [STYLE_YELLOW] = "\033[33m", [STYLE_RED] = "\033[31m",
    };
    return text_colored(stream) ? escapes[style] : "";
}

const char *text_end(FILE *stream) {
    return text_colored(stream) ? "\033[0m" : "";
}

int text_columns(FILE *stream) {
    struct winsize size;
    if (ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
    return 80;
}
