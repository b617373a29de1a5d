/* SPDX-License-Identifier: MIT */
/* progress.h - a progress bar, one line on stderr; shows nothing unless that is a terminal. */
#ifndef DOZE_CLI_PROGRESS_H
#define DOZE_CLI_PROGRESS_H

#include <stdbool.h>

/* Zeroed: nothing is shown yet. */
struct progress {
    bool shown;
    int percent; /* what the line says */
};

/* Draw or redraw "label [=====>    ]  42%". fraction: 0 to 1, others are clamped. */
void progress_show(struct progress *p, const char *label, double fraction);

/* Erase the line, so that something else can be printed. */
void progress_clear(struct progress *p);

#endif
