/* SPDX-License-Identifier: MIT */
/*
 * terms.h - closed sets of words that worker, daemon and dialects share. Inside the process
 * they are enums; these are the only functions that turn them into words and back.
 */
#ifndef DOZE_BASE_TERMS_H
#define DOZE_BASE_TERMS_H

enum model_type { MODEL_LLM, MODEL_EMBEDDINGS };

const char *model_type_name(enum model_type type); /* "llm", "embeddings" */

/* Why an answer ended, in LM Studio's words. */
enum stop_reason {
    STOP_EOS,
    STOP_STRING,
    STOP_MAX_TOKENS,
    STOP_CONTEXT,
    STOP_TOOL_CALLS,
    STOP_USER,
    STOP_UNLOADED,
    STOP_FAILED,
};

const char *stop_reason_name(enum stop_reason reason); /* "eosFound", ... */
enum stop_reason stop_reason_parse(const char *name);  /* STOP_FAILED if unknown */

/* Where the cached tokens of a prompt were. */
enum cache_source { CACHE_NONE, CACHE_SLOT, CACHE_MEMORY, CACHE_DISK };
enum { CACHE_SOURCE_COUNT = CACHE_DISK + 1 };

const char *cache_source_name(enum cache_source source); /* "none", "slot", "memory", "disk" */
enum cache_source cache_source_parse(const char *name);  /* CACHE_NONE if unknown */

/* Why not more of a prompt was cached. */
enum cache_miss {
    CACHE_MISS_NOTHING,  /* all that is kept of this conversation was used */
    CACHE_MISS_NEW,      /* nothing that is kept has the prompt's beginning */
    CACHE_MISS_SETTINGS, /* the same, but there are prompts of other load settings */
    CACHE_MISS_DIFFERS,  /* what is kept continues differently */
    CACHE_MISS_EVICTED,  /* it was stored, and its file is gone */
    CACHE_MISS_STATE,    /* what is kept cannot be cut there, or is too short to be restored */
    CACHE_MISS_OFF,      /* the request switched it off */
};

const char *cache_miss_name(enum cache_miss miss);  /* "nothing", "new", ... */
enum cache_miss cache_miss_parse(const char *name); /* CACHE_MISS_NOTHING if unknown */

/* How far an instance is with repacking its 4-bit weights. */
enum repack_state { REPACK_NONE, REPACK_WAITING, REPACK_RUNNING, REPACK_DONE };

const char *
repack_state_name(enum repack_state state); /* "none", "waiting", "running", "done" */
enum repack_state repack_state_parse(const char *name); /* REPACK_NONE if unknown */

#endif
