/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#include "fleet/placement.h"

static const char *const rule_names[] = {
    [PLACEMENT_RULE_NONE] = "none",         [PLACEMENT_RULE_PREFIX] = "prefix",
    [PLACEMENT_RULE_RESIDENT] = "resident", [PLACEMENT_RULE_PARKED] = "parked",
    [PLACEMENT_RULE_ROOM] = "room",         [PLACEMENT_RULE_EVICT] = "evict",
    [PLACEMENT_RULE_FETCH] = "fetch",       [PLACEMENT_RULE_BORROW] = "borrow",
    [PLACEMENT_RULE_LOADING] = "loading",
};
static_assert(sizeof rule_names / sizeof *rule_names == PLACEMENT_RULE_COUNT,
              "a name per rule");

static const char *const refusal_names[] = {
    [PLACEMENT_ACCEPTED] = "accepted",
    [PLACEMENT_NO_FILE] = "no_file",
    [PLACEMENT_TOO_LARGE] = "too_large",
    [PLACEMENT_NO_ROOM] = "no_room",
    [PLACEMENT_ALL_TRIED] = "all_tried",
    [PLACEMENT_NOT_HERE] = "not_here",
    [PLACEMENT_LOADING_ELSEWHERE] = "loading_elsewhere",
};
static_assert(sizeof refusal_names / sizeof *refusal_names == PLACEMENT_REFUSAL_COUNT,
              "a name per refusal");

static const char *const refusal_sentences[] = {
    [PLACEMENT_ACCEPTED] = "",
    [PLACEMENT_NO_FILE] = "No node of the fleet has this model; download it on one of them.",
    [PLACEMENT_TOO_LARGE] = "The model is larger than the memory of each node that is there, "
                            "and none lends enough; use a smaller one or a smaller context, or "
                            "raise fleet.lend_memory.",
    [PLACEMENT_NO_ROOM] = "No node may unload enough to make room for the model; unload one.",
    [PLACEMENT_ALL_TRIED] = "Every node that has the model was asked and none answered; "
                            "try again in some seconds.",
    [PLACEMENT_NOT_HERE] = "This node cannot serve the model that was forwarded to it; "
                           "ask another one.",
    [PLACEMENT_LOADING_ELSEWHERE] = "Another node loads the model; wait for its load.",
};
static_assert(sizeof refusal_sentences / sizeof *refusal_sentences == PLACEMENT_REFUSAL_COUNT,
              "a sentence per refusal");

const char *placement_rule_name(enum placement_rule rule) {
    return rule_names[rule];
}

const char *placement_refusal_name(enum placement_refusal refusal) {
    return refusal_names[refusal];
}

enum { NAME_MAX_SHOWN = 64, REASON_TEXT = 192, SPAN_TEXT = 32 };

/* "350 ms", "8.2 s", "3 min" */
static void span_format(msec span, char text[SPAN_TEXT]) {
    if (span < 1000) {
        snprintf(text, SPAN_TEXT, "%" PRId64 " ms", span);
    } else if (span < 120 * 1000) {
        snprintf(text, SPAN_TEXT, "%.1f s", (double)span / 1000);
    } else {
        snprintf(text, SPAN_TEXT, "%" PRId64 " min", (span + 30 * 1000) / (60 * 1000));
    }
}

static void fetch_reason(const struct placement *p, const struct placement_table *table,
                         char text[REASON_TEXT]) {
    if (p->source == PLACEMENT_NO_NODE) return;
    snprintf(text, REASON_TEXT, "it can fetch the file from %.*s", NAME_MAX_SHOWN,
             table->nodes[p->source].name);
}

static void reason_format(const struct placement *p, const struct placement_table *table,
                          const struct placement_request *request, char text[REASON_TEXT]) {
    text[0] = '\0';
    switch (p->rule) {
    case PLACEMENT_RULE_PREFIX:
        snprintf(text, REASON_TEXT,
                 "it holds %" PRIu32 " of about %" PRIu32 " tokens of this conversation",
                 p->held, request->prompt);
        break;
    case PLACEMENT_RULE_RESIDENT:
        snprintf(text, REASON_TEXT, "the model is loaded there");
        break;
    case PLACEMENT_RULE_PARKED:
        snprintf(text, REASON_TEXT, "a worker is parked there with the model");
        break;
    case PLACEMENT_RULE_ROOM:
        snprintf(text, REASON_TEXT, "it has the file and room for it");
        break;
    case PLACEMENT_RULE_EVICT:
        snprintf(text, REASON_TEXT, "it has the file and makes room for it");
        break;
    case PLACEMENT_RULE_FETCH:
        fetch_reason(p, table, text);
        break;
    case PLACEMENT_RULE_BORROW:
        if (p->lender == PLACEMENT_NO_NODE) break;
        snprintf(text, REASON_TEXT,
                 "it has the file, and %.*s lends it the memory that it lacks", NAME_MAX_SHOWN,
                 table->nodes[p->lender].name);
        break;
    case PLACEMENT_RULE_LOADING:
        snprintf(text, REASON_TEXT, "the model is being loaded there");
        break;
    case PLACEMENT_RULE_NONE:
        break;
    }
}

void placement_explain(const struct placement *p, const struct placement_table *table,
                       const struct placement_request *request, char text[PLACEMENT_TEXT]) {
    char reason[REASON_TEXT], first[SPAN_TEXT], other[SPAN_TEXT], tail[3 * SPAN_TEXT] = "";

    if (p->where == PLACEMENT_REFUSE) {
        snprintf(text, PLACEMENT_TEXT, "%s", refusal_sentences[p->refusal]);
        return;
    }
    reason_format(p, table, request, reason);
    span_format(p->first, first);
    if (p->elsewhere != MSEC_NEVER) {
        span_format(p->elsewhere, other);
        snprintf(tail, sizeof tail, " (elsewhere %s%s)", other,
                 p->claims && p->elsewhere < p->first ? ", where requests queue" : "");
    }
    snprintf(text, PLACEMENT_TEXT, "%s%.*s: %s; first token after about %s%s.",
             p->where == PLACEMENT_WAIT ? "Waits for " : "", NAME_MAX_SHOWN,
             p->where == PLACEMENT_HERE ? "This node" : table->nodes[p->node].name, reason,
             first, tail);
}
