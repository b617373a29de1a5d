/* SPDX-License-Identifier: MIT */
/*
 * fleet-sim - a fleet on a virtual clock, with one policy of placement.
 *
 *   fleet-sim NODES POLICY SEED SECONDS RATE MODELS
 *
 * POLICY: random, least-loaded or doze. SECONDS: of the virtual clock. RATE: conversations that
 * begin per hour and node. Prints a line "name<tab>figure" for each figure. Exit code: 0 done,
 * 2 usage.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

static const char *const policies[] = {
    [POLICY_RANDOM] = "random",
    [POLICY_LEAST] = "least-loaded",
    [POLICY_DOZE] = "doze",
};

static bool policy_parse(const char *name, enum policy *ret) {
    for (enum policy p = POLICY_RANDOM; p < POLICY_COUNT; p++) {
        if (strcmp(policies[p], name) != 0) continue;
        *ret = p;
        return true;
    }
    return false;
}

static bool options_parse(char **args, struct options *ret) {
    ret->nodes = (uint32_t)strtoul(args[1], NULL, 10);
    ret->seed = strtoull(args[3], NULL, 10);
    ret->seconds = strtod(args[4], NULL);
    ret->rate = strtod(args[5], NULL) / 3600;
    ret->models = (uint32_t)strtoul(args[6], NULL, 10);
    return policy_parse(args[2], &ret->policy) && ret->nodes >= 3 && ret->nodes <= 10000 &&
           ret->seconds > 0 && ret->rate > 0 && ret->models > 0 && ret->models <= 10000;
}

static void patience_ends(struct sim *sim, uint32_t request) {
    enum request_state state = sim->requests[request].state;

    if (state == REQ_ENDED || state == REQ_ANSWER) return;
    if (state == REQ_QUEUED || state == REQ_PROMPT) {
        node_drop(sim, request);
    } else {
        request_fail(sim, request, FAIL_PATIENCE);
    }
}

static bool is_current(const struct sim *sim, const struct event *ev) {
    return sim->requests[ev->a].stamp == ev->stamp;
}

/* Long: a line for each kind of event. */
static void step(struct sim *sim, const struct event *ev) {
    switch (ev->kind) {
    case EV_CONVERSATION:
        conversation_begin(sim);
        break;
    case EV_TURN:
        conversation_ask(sim, ev->a);
        break;
    case EV_PLACE:
        if (is_current(sim, ev)) request_replace(sim, ev->a);
        break;
    case EV_ARRIVE:
        if (is_current(sim, ev)) request_arrive(sim, ev->a);
        break;
    case EV_LOST:
        if (is_current(sim, ev)) request_lost(sim, ev->a);
        break;
    case EV_PATIENCE:
        patience_ends(sim, ev->a);
        break;
    case EV_WORK:
        if (sim->nodes[ev->a].stamp == ev->stamp) node_work(sim, ev->a);
        break;
    case EV_LOADED:
        if (sim->nodes[ev->a].instances[ev->b].stamp == ev->stamp) {
            node_loaded(sim, ev->a, ev->b);
        }
        break;
    case EV_WINDOW:
        if (sim->nodes[ev->a].boot == ev->stamp) node_work(sim, ev->a);
        break;
    case EV_PUBLISH:
        if (sim->nodes[ev->a].boot == ev->stamp) table_publish(sim, ev->a);
        break;
    case EV_DOWN:
        churn_down(sim, ev->a);
        break;
    case EV_UP:
        churn_up(sim, ev->a);
        break;
    case EV_CLAIM_ENDS:
        if (sim->models[ev->b].claimed_by == ev->a) claim_end(sim, ev->b);
        break;
    }
}

static int by_value(const void *a, const void *b) {
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static double percentile(const struct figures *f, double share) {
    return f->first_count ? f->first[(size_t)(share * (double)(f->first_count - 1))] : 0;
}

static void print(const struct sim *sim) {
    const struct figures *f = &sim->figures;
    uint64_t failed = 0;

    for (int i = 0; i < FAIL_COUNT; i++) failed += f->failed[i];
    printf("asked\t%" PRIu64 "\nanswered\t%zu\nfailed\t%" PRIu64 "\n", f->asked, f->first_count,
           failed);
    printf("first_p50\t%.3f\nfirst_p99\t%.3f\n", percentile(f, 0.5), percentile(f, 0.99));
    printf("loads\t%" PRIu64 "\nloads_beside\t%" PRIu64 "\nloaded_gb\t%.1f\n", f->loads,
           f->double_loads, f->loaded_gb);
    printf("fetches\t%" PRIu64 "\nfetched_gb\t%.1f\n", f->fetches, f->fetched_gb);
    printf("forwarded\t%" PRIu64 "\nwaited\t%" PRIu64 "\n", f->forwarded, f->waited);
    printf("held\t%.4f\n", f->prompt_tokens > 0 ? f->held_tokens / f->prompt_tokens : 0);
    printf("failed.refused\t%" PRIu64 "\nfailed.patience\t%" PRIu64 "\n",
           f->failed[FAIL_REFUSED], f->failed[FAIL_PATIENCE]);
    printf("failed.tries\t%" PRIu64 "\nfailed.stream\t%" PRIu64 "\n", f->failed[FAIL_TRIES],
           f->failed[FAIL_STREAM]);
    for (int rule = 0; rule < PLACEMENT_RULE_COUNT; rule++) {
        printf("rule.%s\t%" PRIu64 "\n", placement_rule_name((enum placement_rule)rule),
               f->rules[rule]);
    }
}

int main(int argc, char **argv) {
    struct sim sim = { .listener = &request_listener };
    struct event ev;

    if (argc != 7 || !options_parse(argv, &sim.options)) {
        fputs("usage: fleet-sim NODES random|least-loaded|doze SEED SECONDS RATE MODELS\n",
              stderr);
        return 2;
    }
    world_make(&sim);
    churn_begin(&sim);
    conversation_begin(&sim);
    while (events_take(&sim.events, &ev) && ev.at < (usec)(sim.options.seconds * SECOND)) {
        sim.now = ev.at;
        step(&sim, &ev);
    }
    qsort(sim.figures.first, sim.figures.first_count, sizeof *sim.figures.first, by_value);
    print(&sim);
    world_clear(&sim);
    return 0;
}
