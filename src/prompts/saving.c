/* SPDX-License-Identifier: MIT */
#include "prompts/saving.h"

enum { GROWTH = 8 };

int64_t saving_after(size_t processed, size_t saved, int64_t pause) {
    if (processed >= saved + saved / GROWTH || pause < SAVING_USEC) return SAVING_USEC;
    return pause;
}
