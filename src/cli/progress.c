/* SPDX-License-Identifier: MIT */
#include "cli/progress.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/text.h"

enum { BAR_MIN = 10, BAR_MAX = 40, LABEL_MAX = 256 };

static int to_percent(double fraction) {
    if (!(fraction > 0)) return 0;
    return fraction >= 1 ? 100 : (int)(fraction * 100);
}

/* What is left of the line beside label, brackets and percent. */
static int bar_width(const char *label) {
    int width = text_columns(stderr) - text_width(label, strlen(label)) - 9;
    return width > BAR_MAX ? BAR_MAX : width;
}

void progress_show(struct progress *p, const char *label, double fraction) {
    static const char filled[] = "========================================";
    static_assert(sizeof filled == BAR_MAX + 1, "as long as the longest bar");
    int percent = to_percent(fraction);
    if ((p->shown && p->percent == percent) || !isatty(STDERR_FILENO)) return;
    struct buf safe = BUF_INIT(LABEL_MAX);
    text_add_safe(&safe, label, strnlen(label, LABEL_MAX));
    int width = bar_width(buf_str(&safe));
    if (width >= BAR_MIN) {
        int done = percent * width / 100;
        fprintf(stderr, "\r\033[K%s [%s%.*s%s%*s] %3d%%", buf_str(&safe),
                text_begin(stderr, STYLE_GREEN), done, filled, text_end(stderr), width - done,
                "", percent);
    } else {
        fprintf(stderr, "\r\033[K%3d%%", percent);
    }
    fflush(stderr);
    buf_clear(&safe);
    *p = (struct progress){ .shown = true, .percent = percent };
}

void progress_clear(struct progress *p) {
    if (!p->shown) return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
    p->shown = false;
}
