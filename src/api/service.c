/* SPDX-License-Identifier: MIT */
#include "api/service.h"

#include <stdlib.h>

#include "base/words.h"

static const char *const stop_reasons[] = {
    [STOP_EOS] = "eosFound",
    [STOP_STRING] = "stopStringFound",
    [STOP_MAX_TOKENS] = "maxPredictedTokensReached",
    [STOP_CONTEXT] = "contextLengthReached",
    [STOP_TOOL_CALLS] = "toolCalls",
    [STOP_USER] = "userStopped",
    [STOP_UNLOADED] = "modelUnloaded",
    [STOP_FAILED] = "failed",
};

const char *stop_reason_name(enum stop_reason reason) {
    return stop_reasons[reason];
}

enum stop_reason stop_reason_parse(const char *name) {
    int found = WORDS_FIND(stop_reasons, name);
    return found < 0 ? STOP_FAILED : (enum stop_reason)found;
}

static const char *const instance_states[] = {
    [INSTANCE_LOADING] = "loading",     [INSTANCE_IDLE] = "idle",
    [INSTANCE_BUSY] = "busy",           [INSTANCE_DRAINING] = "draining",
    [INSTANCE_UNLOADING] = "unloading", [INSTANCE_QUEUED] = "queued",
};

const char *instance_state_name(enum instance_state state) {
    return instance_states[state];
}

static const char *const cache_sources[] = { [CACHE_NONE] = "none",
                                             [CACHE_SLOT] = "slot",
                                             [CACHE_MEMORY] = "memory",
                                             [CACHE_DISK] = "disk" };

const char *cache_source_name(enum cache_source source) {
    return cache_sources[source];
}

enum cache_source cache_source_parse(const char *name) {
    int found = WORDS_FIND(cache_sources, name);
    return found < 0 ? CACHE_NONE : (enum cache_source)found;
}

void service_request_clear(struct service_request *request) {
    free(request->model);
    yyjson_mut_doc_free(request->body);
    *request = (struct service_request){ 0 };
}
