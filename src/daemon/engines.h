/* SPDX-License-Identifier: MIT */
/*
 * engines.h - the engine and its variants for GPUs: which are installed, what devices they
 * find, and which one workers are started with. Everything on the loop's thread.
 *
 * Each variant is asked for its devices once, and again after it or a driver's files have
 * changed.
 */
#ifndef DOZE_DAEMON_ENGINES_H
#define DOZE_DAEMON_ENGINES_H

#include <uv.h>

#include "supervisor/engine_choice.h"
#include "supervisor/worker_program.h"

struct engines;

struct engines_config {
    uv_loop_t *loop;
    const char *worker; /* the program; borrowed */
    const enum engine_kind *setting;
    void (*on_changed)(void *ctx); /* the engine that workers are started with has changed */
    void *ctx;
};

/* Waits until the variants have answered, if there are any. */
struct engines *engines_new(const struct engines_config *config);
/* The loop waits for a running probe, whose result is dropped. Accepts NULL. */
void engines_free(struct engines *engines);

/* Check for changes: of the setting, of what is installed, of a driver. */
void engines_look(struct engines *engines);

const struct worker_program *engines_program(const struct engines *engines);
const struct engine_choice *engines_choice(const struct engines *engines);
const struct engine_state *engines_state(const struct engines *engines, enum engine_kind kind);
const char *engines_version(void); /* of the package; "": not one of ours */

#endif
