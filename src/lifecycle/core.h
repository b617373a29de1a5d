/* SPDX-License-Identifier: MIT */
/*
 * core.h - what the files of the lifecycle core share; nobody else includes it.
 *
 *   request.c  the array of requests: join, leave, fail, count
 *   slot.c     one slot: the setter of its state, taking and leaving, work, spawning
 *   admission.c who gets the next place: the line, memory, victims, gates
 *   client.c   events from clients: requests, loads, cancels, settings, shutdown
 *   worker.c   events from workers
 *   explain.c  what would happen to a request
 *   step.c     one step: dispatch, settle, deadline
 *   valid.c    the invariants
 *   names.c    diagram and names as data
 */
#ifndef DOZE_LIFECYCLE_CORE_H
#define DOZE_LIFECYCLE_CORE_H

#include "lifecycle/lifecycle.h"

/* One step: the state and the actions it has caused so far. */
struct lc_step {
    struct lifecycle *lc;
    struct lc_actions *out;
};

/* Why a request is refused, with the figures that the error needs. */
struct lc_refusal {
    enum lc_fail fail;
    msec at;           /* BACK_OFF */
    nbytes need, free; /* NO_MEMORY */
};

/* The requests of one slot. */
struct lc_tally {
    uint32_t waiting, admitted, running;
    uint32_t infer; /* of those running, the ones that hold a parallel place */
    uint32_t extra; /* of these, the ones whose clients read again */
};

/* While something works a tick is due this often. A much longer gap between events means that
 * the machine slept or the daemon did not run (Idle TTL, rule 9). */
#define LC_PULSE ((msec)10000)
#define LC_GAP (LC_PULSE + (msec)5000)

/* Permille; below it a load that nobody waits for is cancelled (JIT loading, rule 4). */
#define LC_HALF_LOADED 500

/* Sets of request states, for requests_fail. */
#define LC_SET(state) (1u << (state))
#define LC_SET_ACTIVE (LC_SET(LC_ADMITTED) | LC_SET(LC_RUNNING))
#define LC_SET_HELD (LC_SET(LC_WAITING) | LC_SET(LC_ADMITTED))
#define LC_SET_ALL (LC_SET_HELD | LC_SET(LC_RUNNING))

/* Is this edge in the diagram? For assertions; the tests have their own copy of the rules
 * (tests/explore/rules.h). */
bool lc_edge_legal(enum lc_state from, enum lc_state to);
/* True if every invariant of lifecycle.md that one state can show holds. */
bool lifecycle_valid(const struct lifecycle *lc);

/* t + span, MSEC_NEVER if either is or the sum would pass it. */
msec msec_after(msec t, msec span);

/* request.c */
struct lc_action *action_add(struct lc_step *st, enum lc_action_kind kind, int slot);
int request_find(const struct lifecycle *lc, uint64_t id); /* index or -1 */
void request_remove(struct lifecycle *lc, uint32_t index);
/* There must be room. */
void request_add(struct lifecycle *lc, const struct lc_event *ev, int slot,
                 enum lc_request_state state);
/* Answers the event's request, which was not added, with an error. */
void request_refuse(struct lc_step *st, const struct lc_event *ev, int slot,
                    const struct lc_refusal *why);
/* Ends the slot's requests in one of the states with an error. */
void requests_fail(struct lc_step *st, int slot, unsigned states, const struct lc_refusal *why);
/* Puts the slot's ADMITTED requests behind all that wait, except those that its load still
 * owes an answer if the waiter arrived before it was ready. */
void requests_requeue(struct lifecycle *lc, int slot, msec waiter_arrived);
/* Lets the ttls of the slot's requests count again, for the next load. */
void requests_ask_again(struct lifecycle *lc, int slot);
struct lc_tally requests_tally(const struct lifecycle *lc, int slot);
/* Does the request hold a parallel place? */
bool request_has_place(const struct lc_request *r);
/* The index of the request with a place on the slot whose client has read nothing for longest,
 * or -1. */
int request_find_stuck(const struct lifecycle *lc, int slot);
/* Restarts the patience with clients that do not read, after a gap in the time. */
void requests_refresh(struct lifecycle *lc);
/* How many requests for the model, on any slot, have no parallel place. */
uint32_t requests_held(const struct lifecycle *lc, uint32_t model);
/* The slot's first waiting request of the kind, or of any; NULL. Valid until the next change.
 */
const struct lc_request *waiter_first(const struct lifecycle *lc, int slot);
const struct lc_request *waiter_load(const struct lifecycle *lc, int slot);

/* slot.c */
bool slot_is_instance(const struct lifecycle *lc,
                      int slot); /* resident, intended, or somebody waits for it */
bool slot_is_leaving(const struct lc_slot *slot); /* DRAINING, UNLOADING */
bool slot_is_up(const struct lc_slot *slot);      /* LOADING, IDLE, BUSY */
bool slot_is_loaded(const struct lc_slot *slot);  /* IDLE, BUSY */
msec slot_expires(const struct lc_slot *slot);
/* When an instance that is only intended is forgotten, or MSEC_NEVER. */
msec intent_ends(const struct lifecycle *lc, int slot);
/* When a slot that is LOADING is cancelled because nobody waits for it (JIT loading, rule 4),
 * or MSEC_NEVER. */
msec load_gives_up_at(const struct lifecycle *lc, const struct lc_slot *slot);
/* The only place that assigns a state: checks the edge, sets what the state implies, reports.
 */
void slot_enter(struct lc_step *st, int slot, enum lc_state to, enum lc_reason reason);
/* To UNLOADING, with a polite STOP. */
void slot_leave(struct lc_step *st, int slot, enum lc_reason reason);
/* To UNLOADING if IDLE; to DRAINING if BUSY, where requests that are not running go behind the
 * waiter; else does nothing. `by`: the slot that it makes room for. */
void slot_evict(struct lc_step *st, int slot, int by);
/* Assigns a slot without an instance to the model; LC_NO_SLOT if there is none. */
int slot_take(struct lc_step *st, uint32_t model);
void slot_free(struct lc_step *st, int slot);
/* Restarts every watchdog of the slot, after a gap in the time. */
void slot_refresh(struct lifecycle *lc, int slot);
/* Does the slot have a worker that works or ends, so that a watchdog runs? */
bool slot_is_watched(const struct lc_slot *slot);
/* Answers the loads that wait for the slot and admits its other waiters. `fresh`: by a new
 * load. */
void slot_admit_waiters(struct lc_step *st, int slot, bool fresh);
/* Has its worker died, and nobody waits for the next one? */
bool slot_is_intended_only(const struct lifecycle *lc, int slot);
/* Forgets that the instance is to be reloaded. */
void slot_drop_intent(struct lc_slot *slot);
/* Is what its worker has loaded what the plan asks for, or will it be with another number of
 * places, of those that the worker has? */
bool slot_suits(const struct lc_slot *slot, const struct lc_plan *plan);
/* Makes its instance explicit, with the places of the plan, which it suits (Auto-evict, rule
 * 7). */
void slot_promote(struct lifecycle *lc, int slot, const struct lc_plan *plan, msec ttl);
/* The slot that only remembers failed loads of the model, or LC_NO_SLOT. */
int slot_find_failed(const struct lifecycle *lc, uint32_t model);
/* Applies the ttl of a request for a slot that is up (Idle TTL, rule 3). */
void slot_adopt_ttl(struct lifecycle *lc, int slot, struct lc_request *r);
/* Counts the ttl of a request that has ended, for LC_TTL_LONGEST. */
void slot_count_ttl(struct lifecycle *lc, int slot, const struct lc_request *r);
/* From ABSENT to LOADING on behalf of its waiters. */
void slot_spawn(struct lc_step *st, int slot);
/* Counts a failed load: no jit load before retry_at. */
void slot_count_failure(struct lifecycle *lc, int slot);
/* When a waiting request gets the place of one whose client does not read; MSEC_NEVER: not as
 * things are. */
msec place_is_given_at(const struct lifecycle *lc, int slot);
/* Does what is due for the slot without an event; true if it did something. */
bool slot_settle(struct lc_step *st, int slot);

/* admission.c */
bool admission_serve(
    struct lc_step *st); /* true if a load was started or refused, or a victim told */
bool admission_relieve(struct lc_step *st); /* fit, over the budget: idle jit instances leave */
bool admission_grow(struct lc_step *st);    /* workers that asked for memory get it, or not */
void admission_yield(struct lc_step *st);   /* under pressure: the least valuable one leaves */
msec admission_next_gate(
    const struct lifecycle *lc); /* when the next gate closes, or MSEC_NEVER */
/* Who has to leave before the slot's load can begin, and when the last of them is told to. */
msec admission_victims(const struct lifecycle *lc, int slot, bool ret_leaves[LC_MAX_SLOTS]);
bool slot_needs_place(const struct lifecycle *lc, int slot);

/* client.c, worker.c */
typedef void lc_handler(struct lc_step *st, const struct lc_event *ev);
lc_handler on_request, on_load, on_cancel, on_reader, on_unload, on_update, on_settings,
    on_budget, on_pressure, on_shutdown, on_prepared, on_prepare_failed, on_progress, on_ready,
    on_load_failed, on_done, on_heard, on_memory, on_grow, on_exited;
/* Ends running answers and unloads everything, after shutdown_grace. */
void shutdown_force(struct lc_step *st);

#endif
