/* SPDX-License-Identifier: MIT */
/*
 * engine_choice.h - which variant of the engine computes: setting `engine`, and what is
 * installed and works. Pure.
 */
#ifndef DOZE_SUPERVISOR_ENGINE_CHOICE_H
#define DOZE_SUPERVISOR_ENGINE_CHOICE_H

#include <stdbool.h>

#include "supervisor/engine_report.h"

enum engine_kind { ENGINE_AUTO, ENGINE_CPU, ENGINE_VULKAN, ENGINE_CUDA };
enum { ENGINE_KINDS = ENGINE_CUDA + 1 };

extern const char *const engine_words[ENGINE_KINDS]; /* "auto", ... */

/* Of a variant for GPUs. */
struct engine_state {
    bool installed;
    bool asking;       /* it has not reported its devices yet */
    char problem[256]; /* a sentence: why it cannot be used; "": it reported its devices */
    struct engine_report report;
};

struct engine_choice {
    enum engine_kind kind; /* never ENGINE_AUTO */
    bool fallback;         /* the wanted one cannot be used */
    char why[512];         /* one sentence */
};

/* states: by enum engine_kind. nvidia: the machine has an NVIDIA card with its driver. */
struct engine_choice engine_choose(enum engine_kind setting,
                                   const struct engine_state states[ENGINE_KINDS], bool nvidia);

#endif
