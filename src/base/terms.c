/* SPDX-License-Identifier: MIT */
#include "base/terms.h"

#include "base/words.h"

/* A term's word, and the term of a word: `unknown` if there is none. */
#define TERMS(type, words, name, parse, unknown)                                               \
    const char *name(type term) {                                                              \
        return (words)[term];                                                                  \
    }                                                                                          \
    type parse(const char *word) {                                                             \
        int found = WORDS_FIND(words, word);                                                   \
        return found < 0 ? (unknown) : (type)found;                                            \
    }

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
TERMS(enum stop_reason, stop_reasons, stop_reason_name, stop_reason_parse, STOP_FAILED)

static const char *const cache_sources[] = {
    [CACHE_NONE] = "none",
    [CACHE_SLOT] = "slot",
    [CACHE_MEMORY] = "memory",
    [CACHE_DISK] = "disk",
};
TERMS(enum cache_source, cache_sources, cache_source_name, cache_source_parse, CACHE_NONE)

static const char *const cache_misses[] = {
    [CACHE_MISS_NOTHING] = "nothing",   [CACHE_MISS_NEW] = "new",
    [CACHE_MISS_SETTINGS] = "settings", [CACHE_MISS_DIFFERS] = "differs",
    [CACHE_MISS_EVICTED] = "evicted",   [CACHE_MISS_STATE] = "state",
    [CACHE_MISS_OFF] = "off",
};
TERMS(enum cache_miss, cache_misses, cache_miss_name, cache_miss_parse, CACHE_MISS_NOTHING)

static const char *const repack_states[] = {
    [REPACK_NONE] = "none",
    [REPACK_WAITING] = "waiting",
    [REPACK_RUNNING] = "running",
    [REPACK_DONE] = "done",
};
TERMS(enum repack_state, repack_states, repack_state_name, repack_state_parse, REPACK_NONE)
