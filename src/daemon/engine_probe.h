/* SPDX-License-Identifier: MIT */
/*
 * engine_probe.h - asks an engine for its devices, in a process of its own: a driver that
 * crashes or hangs ends that process and nothing else.
 */
#ifndef DOZE_DAEMON_ENGINE_PROBE_H
#define DOZE_DAEMON_ENGINE_PROBE_H

#include <uv.h>

#include "supervisor/engine_choice.h"
#include "supervisor/worker_program.h"

struct engine_probe_sink {
    /* Called once; state->installed is true. */
    void (*on_end)(void *ctx, enum engine_kind kind, const struct engine_state *state);
    void *ctx;
};

/* The sink may be called before this returns. The program is copied. */
void engine_probe_start(uv_loop_t *loop, enum engine_kind kind,
                        const struct worker_program *program, struct engine_probe_sink sink);

#endif
