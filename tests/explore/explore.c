/* SPDX-License-Identifier: MIT */
/*
 * explore.c - runs every order of events over two and three models, breadth-first up to a
 * number of states for each domain, and checks the monitor's properties after every step and
 * liveness from every state. A broken property ends it with the shortest way there. At the end
 * every transition of the rules must have been taken, and every kind of event tried, by some
 * run.
 *
 * usage: explore [states per domain]
 */
#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "domain.h"
#include "keyset.h"
#include "liveness.h"
#include "monitor.h"
#include "rules.h"

#ifndef STATES_DEFAULT
#define STATES_DEFAULT 150000
#endif

static const struct domain domains[] = {
    { "requests, on", 2, LC_EVICT_ON, 3, MAY_CANCEL | MAY_ZERO_TTL | MAY_PROGRESS, UINT64_MAX,
      1, LC_TTL_SET, 0 },
    { "three models, on", 3, LC_EVICT_ON, 4, MAY_BE_LATE, UINT64_MAX, 1, LC_TTL_SET, 0 },
    { "loads and pins, on", 2, LC_EVICT_ON, 2,
      MAY_KINDS | MAY_LOAD | MAY_UNLOAD | MAY_UPDATE | MAY_CANCEL, UINT64_MAX, 1, LC_TTL_SET,
      0 },
    { "failures, on", 2, LC_EVICT_ON, 3, MAY_FAIL | MAY_DIE | MAY_UNLOAD | MAY_PROGRESS,
      UINT64_MAX, 1, LC_TTL_SET, 0 },
    { "intent outlives workers, on", 2, LC_EVICT_ON, 2,
      MAY_FAIL | MAY_DIE | MAY_LOAD | MAY_UPDATE | MAY_UNLOAD, UINT64_MAX, 1, LC_TTL_SET, 0 },
    { "failures and loads, off", 2, LC_EVICT_OFF, 3, MAY_FAIL | MAY_DIE | MAY_LOAD, UINT64_MAX,
      1, LC_TTL_SET, 0 },
    { "three models, fit", 3, LC_EVICT_FIT, 3, MAY_LOAD | MAY_BUDGET | MAY_CANCEL | MAY_GROW, 4,
      1, LC_TTL_SET, 0 },
    { "one model after another, fit", 3, LC_EVICT_FIT, 4, MAY_DIE | MAY_BE_LATE, 3, 1,
      LC_TTL_SET, 0 },
    { "budget, on", 2, LC_EVICT_ON, 3, MAY_LOAD | MAY_BUDGET | MAY_UPDATE | MAY_GROW, 3, 1,
      LC_TTL_SET, 0 },
    { "pressure, fit", 3, LC_EVICT_FIT, 3, MAY_LOAD | MAY_PRESS | MAY_DIE, UINT64_MAX, 1,
      LC_TTL_SET, 0 },
    { "leases, on", 2, LC_EVICT_ON, 3, MAY_KINDS | MAY_CANCEL | MAY_PRESS, UINT64_MAX, 1,
      LC_TTL_SET, 0 },
    { "two places, on", 3, LC_EVICT_ON, 3, MAY_CANCEL | MAY_BUDGET, 5, 2, LC_TTL_SET, 0 },
    { "three models, per type", 3, LC_EVICT_PER_TYPE, 3, MAY_CANCEL | MAY_KINDS, UINT64_MAX, 1,
      LC_TTL_SET, 0 },
    { "a device, fit", 3, LC_EVICT_FIT, 3, MAY_LOAD | MAY_CANCEL | MAY_GROW, UINT64_MAX, 1,
      LC_TTL_SET, 3 },
    { "two places, deaths and pins", 3, LC_EVICT_ON, 3, MAY_DIE | MAY_UPDATE, 5, 2, LC_TTL_SET,
      0 },
    { "a device, two places", 3, LC_EVICT_ON, 3, MAY_DIE | MAY_CANCEL, 5, 2, LC_TTL_SET, 2 },
    { "longest ttl", 2, LC_EVICT_ON, 3, MAY_ZERO_TTL | MAY_UPDATE | MAY_KINDS, UINT64_MAX, 1,
      LC_TTL_LONGEST, 0 },
    { "readers, on", 2, LC_EVICT_ON, 4, MAY_READ, UINT64_MAX, 1, LC_TTL_SET, 0 },
    { "readers and deaths, off", 2, LC_EVICT_OFF, 4, MAY_READ | MAY_DIE | MAY_CANCEL,
      UINT64_MAX, 1, LC_TTL_SET, 0 },
    { "shutdown", 2, LC_EVICT_ON, 3, MAY_SHUTDOWN | MAY_LOAD | MAY_DIE | MAY_CANCEL, UINT64_MAX,
      1, LC_TTL_SET, 0 },
    { "settings", 2, LC_EVICT_ON, 2, MAY_MODE | MAY_UPDATE | MAY_ZERO_TTL | MAY_KINDS, 2, 1,
      LC_TTL_SET, 0 },
};

struct node {
    struct lifecycle lc;
    uint32_t parent; /* of the first node: itself */
    uint32_t event;  /* index in the parent's domain_events */
};

struct search {
    const struct domain *d;
    struct node *nodes;
    uint32_t count, limit;
    uint32_t at;       /* the node being tried */
    struct play trial; /* what is being tried from there */
    uint64_t transitions;
    struct keyset seen, drained;
};

static struct search search;
static uint64_t taken[RULES_TRANSITIONS], tried[LC_EVENT_COUNT];

static const char *const event_names[] = {
    [LC_EV_REQUEST] = "REQUEST",
    [LC_EV_LOAD] = "LOAD",
    [LC_EV_CANCEL] = "CANCEL",
    [LC_EV_READER] = "READER",
    [LC_EV_UNLOAD] = "UNLOAD",
    [LC_EV_UPDATE] = "UPDATE",
    [LC_EV_SETTINGS] = "SETTINGS",
    [LC_EV_BUDGET] = "BUDGET",
    [LC_EV_PRESSURE] = "PRESSURE",
    [LC_EV_SHUTDOWN] = "SHUTDOWN",
    [LC_EV_TICK] = "TICK",
    [LC_EV_PREPARED] = "PREPARED",
    [LC_EV_PREPARE_FAILED] = "NOT_PREPARED",
    [LC_EV_PROGRESS] = "PROGRESS",
    [LC_EV_READY] = "READY",
    [LC_EV_LOAD_FAILED] = "LOAD_FAILED",
    [LC_EV_DONE] = "DONE",
    [LC_EV_HEARD] = "HEARD",
    [LC_EV_MEMORY] = "MEMORY",
    [LC_EV_GROW] = "GROW",
    [LC_EV_EXITED] = "EXITED",
};
static_assert(sizeof event_names / sizeof *event_names == LC_EVENT_COUNT, "a name per event");

static void print_event(const struct lc_event *ev) {
    printf("  %6lld %-11s request %llu kind %d model %u slot %d generation %u%s%s\n",
           (long long)ev->now, event_names[ev->kind], (unsigned long long)ev->request,
           (int)ev->request_kind, ev->model, ev->slot, ev->generation,
           ev->own_slot ? " own slot" : "", ev->force ? " force" : "");
}

/* The transitions among the actions, with a mark at those that the rules do not have. */
static void print_reports(const struct lc_actions *actions) {
    for (uint32_t i = 0; i < actions->count; i++) {
        const struct lc_action *a = &actions->list[i];
        if (a->kind != LC_DO_REPORT) continue;
        printf("         slot %d: %s -> %s (%s)%s\n", a->slot, lc_state_name(a->from),
               lc_state_name(a->to), lc_reason_name(a->reason),
               rules_find(a->from, a->to, a->reason) < 0 ? "  ILLEGAL" : "");
    }
}

/* The events from the start to the node. */
static void print_way(const struct search *s, uint32_t to) {
    struct lc_event list[DOMAIN_EVENTS_MAX];
    uint32_t parent = s->nodes[to].parent;

    if (parent == to) return;
    print_way(s, parent);
    (void)domain_events(s->d, &s->nodes[parent].lc, list);
    print_event(&list[s->nodes[to].event]);
}

static void print_failure(const char *broken) {
    printf("%s: %s\n", search.d->name, broken);
    print_way(&search, search.at);
    for (uint32_t i = 0; i < search.trial.count; i++) print_event(&search.trial.events[i]);
    print_reports(&search.trial.actions);
    fflush(stdout);
}

/* A failed assertion of the core: say which way led to it. */
static void on_abort(int signal) {
    (void)signal;
    print_failure("an assertion failed");
    _exit(1);
}

static void require(const char *broken) {
    if (broken == NULL) return;
    print_failure(broken);
    exit(1);
}

static void keep(struct search *s, const struct lifecycle *lc, uint32_t parent,
                 uint32_t event) {
    if (s->count == s->limit || !keyset_add(&s->seen, domain_key(lc))) return;
    s->nodes[s->count++] = (struct node){ *lc, parent, event };
}

/* The state that the event leads to from the node. */
static struct lifecycle try_event(struct search *s, const struct lc_event *ev) {
    struct lifecycle lc = s->nodes[s->at].lc;

    s->trial.count = 1;
    s->trial.events[0] = *ev;
    lifecycle_step(&lc, ev, &s->trial.actions);
    return lc;
}

/* The event changes nothing: no action, no state. */
static void expect_nothing(struct search *s, const struct lc_event *ev, const char *broken) {
    struct lifecycle lc = try_event(s, ev);

    if (s->trial.actions.count > 0 || !monitor_same(&s->nodes[s->at].lc, &lc)) require(broken);
}

/* Those about a worker, orders of clients included. */
static const enum lc_event_kind about_workers[] = {
    LC_EV_UNLOAD, LC_EV_UPDATE, LC_EV_PROGRESS, LC_EV_READY,  LC_EV_LOAD_FAILED,
    LC_EV_DONE,   LC_EV_HEARD,  LC_EV_MEMORY,   LC_EV_EXITED, LC_EV_GROW,
};
static_assert(sizeof about_workers / sizeof *about_workers ==
                  2 + LC_EVENT_COUNT - LC_EV_PROGRESS,
              "every report and two orders");

/* Each node tries one kind of event on each slot, its neighbours the others. */
static void try_stale_event(struct search *s, int slot) {
    const struct lifecycle *lc = &s->nodes[s->at].lc;
    uint32_t kinds = sizeof about_workers / sizeof *about_workers;
    struct lc_event ev = {
        .kind = about_workers[(s->at + (uint32_t)slot) % kinds],
        .now = lc->now,
        .slot = slot,
        .generation = lc->slots[slot].generation - 1,
        .permille = 900,
        .bytes = 7,
        .least = 6,
        .request = lc->request_count > 0 ? lc->requests[0].id : 0,
    };

    expect_nothing(s, &ev, "a stale event did something");
}

/* Ticks that come early, and reports of workers that are gone. */
static void try_vain_events(struct search *s) {
    const struct lifecycle *lc = &s->nodes[s->at].lc;
    msec deadline = lifecycle_deadline(lc);
    struct lc_event ev = { .kind = LC_EV_TICK, .now = lc->now };

    expect_nothing(s, &ev, "a tick without deadline did something");
    ev.now = deadline == MSEC_NEVER ? lc->now + 1000 * UNIT : deadline - 1;
    expect_nothing(s, &ev, "a tick before the deadline did something");
    for (int i = 0; i < LC_MAX_SLOTS; i++) try_stale_event(s, i);
}

static void try_events(struct search *s) {
    struct lc_event list[DOMAIN_EVENTS_MAX];
    uint32_t n = domain_events(s->d, &s->nodes[s->at].lc, list);

    for (uint32_t i = 0; i < n; i++) {
        struct lifecycle lc = try_event(s, &list[i]);
        tried[list[i].kind]++;
        s->transitions++;
        require(monitor_step(&s->nodes[s->at].lc, &list[i], &lc, &s->trial.actions, taken));
        keep(s, &lc, s->at, i);
    }
}

static uint64_t explore(const struct domain *d, uint32_t limit) {
    struct search *s = &search;

    *s = (struct search){ .d = d, .limit = limit };
    s->nodes = calloc(limit, sizeof *s->nodes);
    if (s->nodes == NULL) abort();
    domain_init(d, &s->nodes[0].lc);
    (void)keyset_add(&s->seen, domain_key(&s->nodes[0].lc));
    s->count = 1;
    for (; s->at < s->count; s->at++) {
        try_vain_events(s);
        try_events(s);
        require(liveness_drains(&s->nodes[s->at].lc, &s->drained, &s->trial));
        if (s->at % 8 == 0) require(liveness_fair(&s->nodes[s->at].lc, &s->trial));
    }
    printf("%-30s %7u states%s %9llu transitions\n", d->name, s->count,
           s->count == limit ? "+" : " ", (unsigned long long)s->transitions);
    fflush(stdout);
    keyset_clear(&s->seen);
    keyset_clear(&s->drained);
    free(s->nodes);
    return s->transitions;
}

/* Prints how often each event was tried; the number of those that never were. */
static int print_tried(void) {
    int missing = 0;

    for (int kind = 0; kind < LC_EVENT_COUNT; kind++) {
        printf("%-11s %9llu%s\n", event_names[kind], (unsigned long long)tried[kind],
               tried[kind] == 0 ? "  NEVER TRIED" : "");
        missing += tried[kind] == 0;
    }
    return missing;
}

/* Prints how often each transition was taken; the number of those that never were. */
static int print_taken(void) {
    int missing = 0;

    for (int i = 0; i < RULES_TRANSITIONS; i++) {
        const struct transition *t = &rules_transitions[i];
        printf("%-9s -> %-9s %-15s %9llu%s\n", lc_state_name(t->from), lc_state_name(t->to),
               lc_reason_name(t->reason), (unsigned long long)taken[i],
               taken[i] == 0 ? "  NEVER TAKEN" : "");
        missing += taken[i] == 0;
    }
    return missing;
}

int main(int argc, char **argv) {
    long limit = argc > 1 ? strtol(argv[1], NULL, 10) : STATES_DEFAULT;
    uint64_t transitions = 0;

    if (argc > 2 || limit < 2 || limit > UINT32_MAX) {
        fprintf(stderr, "usage: explore [states per domain, at least 2]\n");
        return 2;
    }
    (void)sigaction(SIGABRT, &(struct sigaction){ .sa_handler = on_abort }, NULL);
    for (size_t i = 0; i < sizeof domains / sizeof *domains; i++)
        transitions += explore(&domains[i], (uint32_t)limit);
    printf("%llu transitions\n", (unsigned long long)transitions);
    return print_tried() + print_taken() == 0 ? 0 : 1;
}
