/* SPDX-License-Identifier: MIT */
#include "base/terms.h"

#include "base/words.h"

static const char *const model_types[] = {
    [MODEL_LLM] = "llm",
    [MODEL_EMBEDDINGS] = "embeddings",
};

const char *model_type_name(enum model_type type) {
    return model_types[type];
}

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

static const char *const cache_sources[] = {
    [CACHE_NONE] = "none",
    [CACHE_SLOT] = "slot",
    [CACHE_MEMORY] = "memory",
    [CACHE_DISK] = "disk",
};

const char *cache_source_name(enum cache_source source) {
    return cache_sources[source];
}

enum cache_source cache_source_parse(const char *name) {
    int found = WORDS_FIND(cache_sources, name);
    return found < 0 ? CACHE_NONE : (enum cache_source)found;
}

static const char *const repack_states[] = {
    [REPACK_NONE] = "none",
    [REPACK_WAITING] = "waiting",
    [REPACK_RUNNING] = "running",
    [REPACK_DONE] = "done",
};

const char *repack_state_name(enum repack_state state) {
    return repack_states[state];
}

enum repack_state repack_state_parse(const char *name) {
    int found = WORDS_FIND(repack_states, name);
    return found < 0 ? REPACK_NONE : (enum repack_state)found;
}
