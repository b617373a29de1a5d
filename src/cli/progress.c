/* SPDX-License-Identifier: MIT */
#include "cli/progress.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/text.h"

enum { BAR_MIN = 10, BAR_MAX = 40, LABEL_MAX = 256 };

void progress_show(struct progress *p, const char *label, double fraction) {
    static const char filled[] = "========================================";
    static_assert(sizeof filled == BAR_MAX + 1, "as long as the longest bar");
    int percent = fraction >= 1 ? 100 : fraction > 0 ? (int)(fraction * 100) : 0;
    if ((p->shown && p->percent == percent) || !isatty(STDERR_FILENO)) return;
    struct buf safe = BUF_INIT(LABEL_MAX);
    text_add_safe(&safe, label, strnlen(label, LABEL_MAX));
    /* The bar has what is left beside the label, the brackets and the percentage. */
    int width = text_columns(stderr) - text_width(buf_str(&safe), safe.len) - 9;
    if (width > BAR_MAX) width = BAR_MAX;
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
