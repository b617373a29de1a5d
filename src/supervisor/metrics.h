/* SPDX-License-Identifier: MIT */
/* metrics.h - counters of one run of the daemon and their Prometheus text. */
#ifndef DOZE_SUPERVISOR_METRICS_H
#define DOZE_SUPERVISOR_METRICS_H

#include "api/service.h"
#include "base/buf.h"
#include "lifecycle/lifecycle.h"
#include "supervisor/park_rules.h"

struct metrics {
    uint64_t loads, load_failures;
    double load_seconds;
    uint64_t unloads[LC_REASON_COUNT];
    uint64_t requests[OP_TEMPLATE + 1];
    uint64_t request_errors[ERR_CODE_COUNT];
    uint64_t prompt_tokens, cached_tokens, completion_tokens;
    uint64_t draft_pauses; /* answers that went on without guesses for a while */
    uint64_t drafted_tokens, accepted_tokens; /* of the completions: guesses, and right ones */
    uint64_t prompt_hits[CACHE_SOURCE_COUNT]; /* requests whose beginning was cached */
    uint64_t prompt_entries, prompt_bytes;    /* files of the prompt store at the last scan */
    uint64_t parked[PARKED_CHANGE_COUNT];
    uint64_t parked_ends[PARKED_REASON_COUNT];
};

/* Append the text exposition format 0.0.4: the counters, and gauges from the snapshot. */
void metrics_format(const struct metrics *metrics, const struct service_models *models,
                    struct buf *out);

#endif
