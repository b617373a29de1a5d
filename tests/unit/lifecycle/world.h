/* SPDX-License-Identifier: MIT */
/*
 * world.h - one lifecycle on a virtual clock, for scenarios. Every step is watched by the
 * monitor, which fails the test when a property breaks. Models are small numbers; model m's
 * first instance usually gets slot 0, 1, … in order of asking.
 */
#ifndef DOZE_TESTS_WORLD_H
#define DOZE_TESTS_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lifecycle/lifecycle.h"

enum { A = 10, B = 11, C = 12, D = 13 };

/* What became of a request. */
enum fate { HELD, STARTED, LOADED, FAILED };

extern struct lifecycle lc;
extern struct lc_actions acts; /* of the last event */
extern struct lc_plan plan;    /* of the loads asked for from now on */

extern bool workers_start; /* true from the reset on; false: PREPARE fails */

int world_reset(void **state); /* cmocka set-up: default settings, time 0, empty */
void clock_to(msec t);         /* the time of the next events; raises none */
void pass(msec span);          /* a tick at each deadline on the way, and one at the end */

uint64_t ask(uint32_t model); /* INFER */
uint64_t ask_ttl(uint32_t model, msec ttl);
uint64_t ask_kind(uint32_t model, enum lc_kind kind, msec ttl);
uint64_t ask_slot(uint32_t model, int slot);
uint64_t ask_client(uint32_t model, uint64_t client);
uint64_t load(uint32_t model);
uint64_t load_ttl(uint32_t model, msec ttl);
uint64_t load_own(uint32_t model);
uint64_t load_forced(uint32_t model);
void cancel(uint64_t request);
void stops_reading(uint64_t request);
void reads_again(uint64_t request);
void unload(int slot);
void update(int slot, enum lc_origin origin, msec ttl);
void configure(struct lc_settings settings);
void set_mode(enum lc_auto_evict mode);
void set_budget(nbytes bytes);
void set_device(nbytes bytes); /* the budget of device memory; no other limit */
void press(void);
void shut_down(void);

void progress(int slot, uint32_t permille);
void ready(int slot);
void ready_with(int slot, nbytes bytes, uint32_t parallel);
void load_failed(int slot);
void done(uint64_t request);
void heard(int slot);
void takes(int slot, nbytes bytes);
void grows(int slot, nbytes bytes, nbytes least);
void grows_optionally(int slot, nbytes bytes);
void exited(int slot);
/* Any worker event with a generation of its own. */
void report(enum lc_event_kind kind, int slot, uint32_t generation, uint64_t request);

enum fate fate(uint64_t request);
enum lc_fail failure(uint64_t request);           /* LC_FAIL_NONE unless FAILED */
const struct lc_action *answer(uint64_t request); /* LOADED or FAIL; NULL while there is none */
unsigned count(enum lc_action_kind kind);         /* in the last event */
unsigned total(enum lc_action_kind kind);         /* since the reset */
enum lc_state state_of(int slot);
enum lc_reason last_reason(int slot); /* of its last transition */
int last_by(int slot);
msec last_due(int slot); /* if its ttl ended */
enum lc_origin last_origin(int slot);

/* An instance of the model that is IDLE, loaded by a request; the slot. */
int make_idle(uint32_t model);
/* The same, BUSY with the request returned. */
uint64_t make_busy(uint32_t model, int *ret_slot);
/* An explicit instance, IDLE. */
int make_explicit(uint32_t model);

int jit_tests(void), ttl_tests(void), evict_tests(void), fit_tests(void), explicit_tests(void),
    unload_tests(void), failure_tests(void), shutdown_tests(void), limit_tests(void),
    explain_tests(void), pressure_tests(void), growth_tests(void), device_tests(void),
    reader_tests(void);

#endif
