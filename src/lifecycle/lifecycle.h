/* SPDX-License-Identifier: MIT */
/*
 * lifecycle.h - decides when models are loaded, who is served, who makes room and who leaves.
 *
 * Pure: no I/O, clock, allocation, log or global. Events carry their time; lifecycle_step()
 * applies one and says what the daemon must do; lifecycle_deadline() says when to come back.
 * Same events in, same actions out, so tests run it on a virtual clock and explore every order
 * of events. The whole state is one struct without pointers: snapshot by copy, compare by
 * field.
 *
 * A *slot* is the place of one instance. It is FREE until an event gives it a model, lives
 * through
 *
 *             request / load                  ready                    last request ends
 *    ABSENT ----------------> LOADING ------------------------> BUSY <------------------> IDLE
 *      ^                        |  |  failed, cancelled,         |  evict      unload      |
 *      |                        |  |  unloaded                   v                         |
 *      |       died, any state  |  +-----------> UNLOADING <-- DRAINING    ttl, evict,     |
 *      +------------------------+-------------------+  ^---------------------- unload -----+
 *                       worker exited, memory back
 *
 * and is freed when it is ABSENT, nobody waits for it and no back-off has to be remembered. A
 * slot that is ABSENT with waiters stands in line for a place. The rules, with their names, are
 * in docs/lifecycle.md; each function quotes the one it implements.
 *
 * The daemon names slots by index; identifiers, keys and settings behind `model` and `settings`
 * are its business.
 */
#ifndef DOZE_LIFECYCLE_LIFECYCLE_H
#define DOZE_LIFECYCLE_LIFECYCLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/msec.h"

/* Capacities; the explorer compiles the core with small ones. */
#ifndef LC_MAX_SLOTS
#define LC_MAX_SLOTS 64
#endif
#ifndef LC_MAX_REQUESTS
#define LC_MAX_REQUESTS 2048
#endif
/* No event causes more actions than this: every request answered, started or failed once, every
 * slot prepared, released, spawned, stopped, killed and granted memory once, at most four
 * transitions each. */
#define LC_MAX_ACTIONS (2 * LC_MAX_REQUESTS + 11 * LC_MAX_SLOTS)

#define LC_NO_SLOT (-1)
#define LC_NO_MODEL UINT32_MAX
#define LC_TTL_MAX ((msec)10 * 365 * 86400 * 1000)

enum lc_state { LC_ABSENT, LC_LOADING, LC_IDLE, LC_BUSY, LC_DRAINING, LC_UNLOADING };
enum { LC_STATE_COUNT = LC_UNLOADING + 1 };

enum lc_origin { LC_ORIGIN_JIT, LC_ORIGIN_EXPLICIT };

enum lc_auto_evict { LC_EVICT_ON, LC_EVICT_OFF, LC_EVICT_FIT, LC_EVICT_PER_TYPE };

/* Models that share the places of per_type. */
enum lc_type { LC_TYPE_LANGUAGE, LC_TYPE_EMBEDDING };

/* Why a slot changed its state. The last six are the reasons of an unload. */
enum lc_reason {
    LC_BECAUSE_NONE,
    LC_BECAUSE_REQUEST,  /* ABSENT -> LOADING, IDLE -> BUSY, LOADING -> BUSY */
    LC_BECAUSE_LOAD,     /* ABSENT -> LOADING for an explicit load or get-or-load */
    LC_BECAUSE_READY,    /* LOADING -> IDLE: nobody waits */
    LC_BECAUSE_DONE,     /* BUSY -> IDLE */
    LC_BECAUSE_RECALLED, /* DRAINING -> BUSY: nobody waits for its place */
    LC_BECAUSE_EXITED,   /* UNLOADING -> ABSENT */
    LC_BECAUSE_LOAD_FAILED,
    LC_BECAUSE_LOAD_CANCELLED,
    LC_BECAUSE_TTL,
    LC_BECAUSE_EVICTED, /* by the slot in lc_action.by */
    LC_BECAUSE_USER,
    LC_BECAUSE_SHUTDOWN,
    LC_BECAUSE_DIED,
    LC_BECAUSE_MEMORY,
};
enum { LC_REASON_COUNT = LC_BECAUSE_MEMORY + 1 };

enum lc_kind {
    LC_KIND_INFER,       /* takes one of the instance's parallel places */
    LC_KIND_LIGHT,       /* tokenize, apply-template: work, but needs no parallel place */
    LC_KIND_GET_OR_LOAD, /* get-or-load: origin jit, done when loaded, never changes a ttl */
    LC_KIND_LOAD,        /* explicit load: done when loaded */
};

/* Why a request is refused or ended with an error. */
enum lc_fail {
    LC_FAIL_NONE,
    LC_FAIL_JIT_OFF,     /* the model is not loaded and JIT is off */
    LC_FAIL_QUEUE_FULL,  /* too many waiting for this model, or in all */
    LC_FAIL_TOO_MANY,    /* no slot left for another instance */
    LC_FAIL_LOAD_FAILED, /* the daemon kept the error for the slot: the worker said why, or died
                             of it twice */
    LC_FAIL_LOAD_STALLED, /* no progress within load_stall */
    LC_FAIL_BACK_OFF,     /* refused until lc_action.at; same cause as the last failure */
    LC_FAIL_NO_MEMORY,    /* lc_action.need bytes, lc_action.free available */
    LC_FAIL_UNLOADED,     /* unloaded by hand, or the load was cancelled by hand */
    LC_FAIL_DIED,         /* the worker died, not while it loaded */
    LC_FAIL_SHUTDOWN,
};

/* What a request's ttl does to a jit instance that is there (Idle TTL, rule 3). */
enum lc_ttl_update {
    LC_TTL_IGNORE,
    LC_TTL_SET,     /* it replaces the instance's */
    LC_TTL_LONGEST, /* each counts from the end of its request; the one that ends last holds */
};

struct lc_settings {
    bool jit;
    enum lc_ttl_update ttl_update;
    enum lc_auto_evict auto_evict;
    uint32_t jit_limit;   /* on, per_type: jit instances at a time (of each type), at least 1 */
    msec default_ttl;     /* for origin jit; MSEC_NEVER: none */
    msec explicit_ttl;    /* for origin explicit; MSEC_NEVER: none */
    msec max_ttl;         /* the most that a request may ask for; MSEC_NEVER: any */
    msec switch_window;   /* batch window of the fair hand-over */
    msec lease;           /* for which an unused instance of a get-or-load stays */
    msec load_grace;      /* for which a load goes on that nobody waits for, at least */
    msec load_stall;      /* after which a load without progress is failed */
    msec reader_patience; /* after which a client that reads nothing loses its place */
    msec hang;            /* after which a silent worker with work is killed */
    msec stop_grace;      /* polite stop, then kill */
    msec shutdown_grace;  /* for running answers after a shutdown event */
    uint32_t max_waiting; /* per model */
};

/* The defaults of docs/lifecycle.md: jit on, 3600 s, evict on, 1 s window, 120 s, 60 s, 10 s,
 * 10 s, 128; lease 5 s, load grace 10 s, reader patience 5 s. */
struct lc_settings lc_settings_default(void);

enum lc_event_kind {
    /* From clients. `request` is the daemon's number for it, never used twice. */
    LC_EV_REQUEST,  /* request, request_kind INFER/LIGHT/GET_OR_LOAD, model, slot or LC_NO_SLOT,
                       ttl or LC_TTL_NOT_GIVEN, and the plan for a load it may cause */
    LC_EV_LOAD,     /* request, model, ttl, plan, force, own_slot; slot: an intended instance
                       whose identifier the load has, or LC_NO_SLOT */
    LC_EV_CANCEL,   /* request: its client went away */
    LC_EV_READER,   /* request, stuck: its client reads nothing of the answer, or reads again */
    LC_EV_UNLOAD,   /* slot, generation: by hand; also of what is intended only */
    LC_EV_UPDATE,   /* slot, generation, origin, ttl: pin, unpin, change the ttl */
    LC_EV_SETTINGS, /* settings */
    LC_EV_BUDGET,   /* bytes, device: what all instances together may take; UINT64_MAX: no
                       limit */
    LC_EV_PRESSURE, /* tasks stall for lack of memory */
    LC_EV_SHUTDOWN, /* the first lets answers finish within shutdown_grace, the second does not
                     */
    LC_EV_TICK,     /* a deadline was reached */
    /* The answers to LC_DO_PREPARE: slot and generation. One of them is the next event. */
    LC_EV_PREPARED,       /* a worker without a model is kept for the slot */
    LC_EV_PREPARE_FAILED, /* none could be started: the daemon kept its error for the slot */
    /* From workers: slot and generation. These, UNLOAD and UPDATE change nothing if a newer
     * worker has the slot, or none. */
    LC_EV_PROGRESS,    /* permille of the load; also "still alive" while loading */
    LC_EV_READY,       /* bytes and device memory that it takes, parallel places it has */
    LC_EV_LOAD_FAILED, /* the worker could not load and will exit */
    LC_EV_DONE,        /* request: ended for whatever cause; the worker is through with it */
    LC_EV_HEARD,       /* the worker has shown life while it has work */
    LC_EV_MEMORY,      /* bytes, device: what it takes has changed since it was ready */
    LC_EV_GROW,        /* bytes: what it would take in all; least: what would do, at most bytes;
                          optional: it can do without. The answer is LC_DO_GRANT */
    LC_EV_EXITED,      /* raised once: socket closed and exit status seen, memory is back */
};
enum { LC_EVENT_COUNT = LC_EV_EXITED + 1 };

#define LC_TTL_NOT_GIVEN ((msec)-1)

/* What a load of the model would take, as the daemon's resolver sees it now. */
struct lc_plan {
    uint64_t
        settings; /* hash of the effective load settings; equal: the same instance would do */
    uint64_t lasting;  /* hash of those that cannot change while it serves: all but parallel */
    uint64_t worker;   /* hash of those that a worker cannot change: the caller's */
    nbytes need;       /* estimate of the bytes it takes */
    nbytes wish;       /* ... of device memory, if it can have as much: less makes it slower */
    msec reload;       /* expected time to load, at least 1 */
    uint32_t parallel; /* places, at least 1 */
    enum lc_type type;
    uint64_t file; /* stamp of the file; another one ends a back-off */
    msec ttl;      /* of the model, for requests that bring none; LC_TTL_NOT_GIVEN */
};

struct lc_event {
    enum lc_event_kind kind;
    msec now; /* never less than in the event before */
    uint64_t request;
    uint64_t client; /* whose request it is; 0: of nobody else */
    uint32_t model;
    int slot;
    uint32_t generation;
    enum lc_kind request_kind;
    enum lc_origin origin;
    msec ttl; /* ms; MSEC_NEVER: none; LC_TTL_NOT_GIVEN */
    struct lc_plan plan;
    bool force;    /* LC_EV_LOAD: skip the memory check */
    bool stuck;    /* LC_EV_READER */
    bool own_slot; /* LC_EV_LOAD: a new instance even if one could be promoted (identifier
                      given) */
    uint32_t permille;
    uint32_t parallel;
    nbytes bytes, device; /* of main memory, and of devices with memory of their own */
    nbytes least;
    bool optional;
    struct lc_settings settings;
};

enum lc_action_kind {
    LC_DO_PREPARE, /* slot: start a worker without a model and keep it for the SPAWN to come,
                      for which others have to leave first */
    LC_DO_RELEASE, /* slot: the worker that is kept for it is not needed */
    LC_DO_SPAWN,   /* slot: start worker `generation` and load `model` */
    LC_DO_STOP,    /* slot: ask the worker to end everything and leave */
    LC_DO_KILL,    /* slot: SIGKILL it (after grace, when it hangs, when a load stalls) */
    LC_DO_START, /* request: hand it to worker `generation` of slot. If all places of the worker
                      are taken, that of an answer whose client does not read is for it */
    LC_DO_ABORT, /* request on slot: tell the worker that it is not wanted */
    LC_DO_LOADED, /* request (GET_OR_LOAD, LOAD): slot is loaded; `fresh`: by a new load */
    LC_DO_FAIL,   /* request: answer `fail`; it is forgotten */
    LC_DO_ASSIGN, /* slot now belongs to `model` (was free): give it an identifier. Comes before
                     any other action for it */
    LC_DO_FREE,   /* slot is free */
    LC_DO_REPORT, /* slot went from -> to because of `reason` (evicted: `by`): one event, line
                   */
    LC_DO_GRANT,  /* slot: its worker may take `need` bytes in all, until MEMORY says what it
                    took; 0: refused, it could have had `free` */
    LC_DO_FINISHED, /* shutdown is complete: no worker is left */
};

struct lc_action {
    enum lc_action_kind kind;
    int slot;
    uint32_t generation;
    uint32_t model;
    uint64_t request;
    enum lc_fail fail;
    msec at; /* FAIL by back-off: until then; REPORT of a ttl: when it was due */
    nbytes need, free;
    bool fresh;
    enum lc_state from, to;
    enum lc_origin origin; /* REPORT: of the instance, also of one that has just left */
    enum lc_reason reason;
    int by;
};

/* The worker of a load that others have to make room for (JIT loading, rule 7). */
enum lc_prepared { LC_UNPREPARED, LC_PREPARING, LC_PREPARED };

enum lc_request_state {
    LC_WAITING,  /* for a load, or behind a closed gate */
    LC_ADMITTED, /* waits for a parallel place; goes back to WAITING when the gate closes */
    LC_RUNNING,
};

/* Whose is the parallel place of a RUNNING request (Order, rule 3)? */
enum lc_place {
    LC_PLACE_OWN,
    LC_PLACE_GIVEN, /* another's: its client did not read */
    LC_PLACE_EXTRA, /* its own, over the parallel ones: its client reads again, or there are
                       fewer since it started */
};

struct lc_request {
    uint64_t id;
    uint64_t client;
    uint64_t turn; /* lower ones start first; see slot_turn */
    msec arrived;
    msec ttl; /* as given, MSEC_NEVER; LC_TTL_NOT_GIVEN, also once it counted for its slot */
    msec asked_ttl; /* as given, for the load that follows when its instance leaves first */
    int slot;
    enum lc_kind kind;
    enum lc_request_state state;
    enum lc_place place;
    msec stuck_since; /* RUNNING: its client reads nothing since then; MSEC_NEVER: it reads */
    uint8_t lost;     /* workers that died while it waited for them */
    bool owed; /* ADMITTED by the load that it waited for; an older waiter's turn comes after */
    bool aborted; /* its client went away; waits for the worker's DONE */
    bool force;   /* LOAD: no memory check */
};

struct lc_slot {
    uint32_t model; /* LC_NO_MODEL: free */
    enum lc_state state;
    enum lc_origin origin;
    enum lc_reason leaving; /* DRAINING, UNLOADING: why. LOADING: EVICTED if it must make room
                               once it has served what waits for it, else NONE */
    int evicted_by;         /* slot, while leaving is LC_BECAUSE_EVICTED */
    uint32_t generation;    /* of the current or last worker */
    msec ttl; /* ABSENT: LC_TTL_NOT_GIVEN if the waiters say, else kept for the new worker */
    msec lives_until; /* LC_TTL_LONGEST: the last end of an ended request's ttl; 0: none yet */
    msec idle_since;  /* IDLE: when it became so; ABSENT and intended: when its worker went */
    msec heard;   /* LOADING: last progress; BUSY, DRAINING: last sign of life; MSEC_NEVER once
                         the worker was killed for its silence */
    msec stop_by; /* UNLOADING: kill at; MSEC_NEVER once killed */
    msec loading_since;
    msec unwanted_since; /* LOADING: since when nobody waits for it; else MSEC_NEVER */
    msec lease_until;    /* a get-or-load's first request is awaited; 0: not */
    msec ready_at;       /* of the current worker; meaningful once loaded */
    msec last_used;      /* end or start of the last request, or end of load */
    uint32_t permille;
    struct lc_plan plan; /* of the current worker; parallel: the places in use */
    struct lc_plan
        next;        /* of the load to come; LOADING, IDLE, BUSY: as the worker was loaded */
    uint32_t places; /* that the worker has: as planned, once READY as it told */
    nbytes bytes;    /* counted against the budget: the plan's need until READY tells */
    nbytes device;   /* the same of device memory, from the plan's wish */
    nbytes grow_to, grow_least; /* what the worker asks for; 0: nothing */
    bool grow_optional;
    bool served;               /* the current worker has ended a request */
    uint64_t turn;             /* of the request that started last */
    uint64_t failed_file;      /* plan.file of the last failure */
    uint8_t failures;          /* loads that failed in a row */
    msec retry_at;             /* back-off: no jit load before this */
    enum lc_prepared prepared; /* ABSENT with waiters: is a worker kept for it? */
    bool intended; /* an explicit instance whose worker died: the next request loads it as it
                      was; until that load is READY, an unload, or its ttl from idle_since on */
};

struct lifecycle {
    struct lc_settings settings;
    nbytes budget, device_budget;
    msec now;
    bool shutting_down;
    bool finished;    /* LC_DO_FINISHED was given */
    msec shutdown_by; /* MSEC_NEVER: not yet, or no longer */
    uint32_t request_count;
    struct lc_slot slots[LC_MAX_SLOTS];
    struct lc_request
        requests[LC_MAX_REQUESTS]; /* the first request_count, in order of arrival */
};

struct lc_actions {
    uint32_t count;
    struct lc_action list[LC_MAX_ACTIONS];
};

void lifecycle_init(struct lifecycle *lc, const struct lc_settings *settings);

/* Apply one event; *ret_actions is replaced by what follows, in the order to perform. */
void lifecycle_step(struct lifecycle *lc, const struct lc_event *ev,
                    struct lc_actions *ret_actions);

/* Time of the next LC_EV_TICK that is needed, or MSEC_NEVER. A tick before it changes nothing.
 */
msec lifecycle_deadline(const struct lifecycle *lc);

/* An explicit instance whose worker died and that nobody waits for: from when on the daemon may
 * load it again by itself, if it is to be kept; never during a back-off, nor more than once in
 * LC_RELOAD_PAUSE if the workers die before they have served. MSEC_NEVER: there is none. */
#define LC_RELOAD_PAUSE ((msec)60 * 1000)
msec lifecycle_reload_at(const struct lifecycle *lc, int slot);

/* What can be seen of a slot. running + waiting counts every request it has; `waiting` are
 * those without a parallel place. expires: MSEC_NEVER unless IDLE with a ttl. */
struct lc_view {
    uint32_t running, waiting;
    msec expires;
};
struct lc_view lifecycle_view(const struct lifecycle *lc, int slot);

/* The least busy instance of the model that can serve, else one that is leaving or waiting to
 * be loaded, else LC_NO_SLOT (JIT loading, rule 5). */
int lifecycle_find(const struct lifecycle *lc, uint32_t model);

/* What would become of a request that came now. */
enum lc_outcome {
    LC_OUTCOME_REFUSED, /* `fail` */
    LC_OUTCOME_SERVED,  /* at once, by `slot` */
    LC_OUTCOME_QUEUED,  /* `slot` is loaded; it waits behind `ahead` others for a place */
    LC_OUTCOME_JOINS,   /* it waits for the load of `slot`, which is under way */
    LC_OUTCOME_LOADS,   /* a load begins at once */
    LC_OUTCOME_WAITS,   /* a load begins when the victims are gone: `ahead` answers run there */
};

/* What a request that has not started waits for. */
struct lc_wait {
    enum lc_outcome outcome; /* QUEUED, JOINS or WAITS */
    int slot;                /* whose place or load it is */
    uint32_t place;          /* in line for the place or the load, from 1 */
    bool runs[LC_MAX_SLOTS]; /* an answer has to end there first */
    msec gate;               /* ms until the last of the victims is told to go */
    msec load;               /* expected duration of the loads up to its own; 0: none */
};

struct lc_forecast {
    enum lc_outcome outcome;
    int slot; /* LC_NO_SLOT: it would be a new instance */
    enum lc_fail fail;
    msec retry_at;     /* REFUSED by a back-off */
    nbytes need, free; /* REFUSED for lack of memory */
    uint32_t ahead;
    bool leaves[LC_MAX_SLOTS]; /* the victims */
    msec gate;                 /* ms until the last of them is told to go */
    msec load;                 /* expected duration of a load; 0: none is needed */
    struct lc_wait wait;       /* of that request, unless it is REFUSED or SERVED */
};

/* Asks the decision itself: applies the LC_EV_REQUEST to a copy and looks at what comes of it.
 * `copy` and `actions` are room for that; *lc stays as it is. */
void lifecycle_explain(const struct lifecycle *lc, const struct lc_event *request,
                       struct lifecycle *copy, struct lc_actions *actions,
                       struct lc_forecast *ret);

/* The same of an LC_EV_REQUEST or LC_EV_LOAD: whether it would be refused at once. */
bool lifecycle_refuses(const struct lifecycle *lc, const struct lc_event *ev,
                       struct lifecycle *copy, struct lc_actions *actions);

/* False: it is not there, or has started. */
bool lifecycle_wait(const struct lifecycle *lc, uint64_t request, struct lc_wait *ret);

const char *lc_state_name(enum lc_state state);    /* "absent", "loading", "idle", ... */
const char *lc_reason_name(enum lc_reason reason); /* "ttl", "evicted_by", "user", ... */

#endif
