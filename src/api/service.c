/* SPDX-License-Identifier: MIT */
#include "api/service.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const char *const stop_names[] = {
    [STOP_EOS] = "eosFound",
    [STOP_STRING] = "stopStringFound",
    [STOP_MAX_TOKENS] = "maxPredictedTokensReached",
    [STOP_CONTEXT] = "contextLengthReached",
    [STOP_TOOL_CALLS] = "toolCalls",
    [STOP_USER] = "userStopped",
    [STOP_UNLOADED] = "modelUnloaded",
    [STOP_FAILED] = "failed",
};
static const size_t stop_count = sizeof stop_names / sizeof stop_names[0];

static const char *const state_names[] = {
    [INSTANCE_LOADING] = "loading",     [INSTANCE_IDLE] = "idle",
    [INSTANCE_BUSY] = "busy",           [INSTANCE_DRAINING] = "draining",
    [INSTANCE_UNLOADING] = "unloading", [INSTANCE_QUEUED] = "queued",
};
static const size_t state_count = sizeof state_names / sizeof state_names[0];

const char *stop_reason_name(enum stop_reason reason) {
    assert((size_t)reason < stop_count);
    return stop_names[reason];
}

enum stop_reason stop_reason_parse(const char *name) {
    for (size_t i = 0; i < stop_count; i++) {
        if (strcmp(stop_names[i], name) == 0) return (enum stop_reason)i;
    }
    return STOP_FAILED;
}

const char *instance_state_name(enum instance_state state) {
    assert((size_t)state < state_count);
    return state_names[state];
}

void service_request_clear(struct service_request *request) {
    free(request->model);
    yyjson_mut_doc_free(request->body);
    *request = (struct service_request){ 0 };
}

static const char *const cache_sources[] = { [CACHE_NONE] = "none",
                                             [CACHE_SLOT] = "slot",
                                             [CACHE_MEMORY] = "memory",
                                             [CACHE_DISK] = "disk" };

const char *cache_source_name(enum cache_source source) {
    return cache_sources[source];
}

enum cache_source cache_source_parse(const char *name) {
    for (int s = CACHE_SLOT; s < CACHE_SOURCE_COUNT; s++) {
        if (strcmp(cache_sources[s], name) == 0) return (enum cache_source)s;
    }
    return CACHE_NONE;
}
