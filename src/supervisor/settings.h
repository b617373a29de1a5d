/* SPDX-License-Identifier: MIT */
/*
 * settings.h - what the user may choose at run time: values, their JSON and its checks.
 *
 * Pure. GET and PATCH /api/v1/settings, `doze settings` and settings.json all use this JSON.
 * docs/settings.md describes each name.
 */
#ifndef DOZE_SUPERVISOR_SETTINGS_H
#define DOZE_SUPERVISOR_SETTINGS_H

#include <stdbool.h>
#include <yyjson.h>

#include "base/buf.h"
#include "base/error.h"
#include "ipc/load_message.h"
#include "lifecycle/lifecycle.h"
#include "load/load_settings.h"
#include "supervisor/engine_choice.h"
#include "supervisor/fleet_settings.h"
#include "supervisor/model_aliases.h"
#include "supervisor/model_settings.h"
#include "supervisor/park_rules.h"

enum {
    SETTINGS_KEY_SIZE = 128,
    SETTINGS_NAMES_SIZE = 1024,
    SETTINGS_PATH_SIZE = 1024,
    SETTINGS_BODY_MAX = 64 << 20 /* bytes */
};

struct settings {
    struct lc_settings rules;
    nbytes body_limit; /* most that a request body or message may have */
    uint32_t download_connections;
    bool cors;
    char allowed_hosts[SETTINGS_NAMES_SIZE]; /* commas between; "": none */
    char allowed_origins[SETTINGS_NAMES_SIZE];
    bool sdk_port;                  /* listen where LM Studio's clients look */
    uint32_t ollama_port;           /* listen there, too; 0: not */
    bool ollama_default_keep_alive; /* five minutes for Ollama's clients that say nothing */
    bool lmstudio_compat;   /* write the files by which its command line finds a server */
    nbytes memory_limit;    /* 0: what the machine has */
    nbytes device_limit;    /* 0: what the devices have */
    bool evict_on_pressure; /* what is idle leaves when programs stall for memory */
    bool standby;           /* keep a spare worker */
    enum park_mode parked_workers;
    msec parked_life; /* of a parked worker; MSEC_NEVER: until somebody needs the memory */
    enum engine_kind engine;
    enum prompt_store_mode prompt_store;
    nbytes prompt_store_bytes;         /* most that the files may take */
    nbytes response_store_bytes;       /* 0: responses are not stored */
    msec response_store_age;           /* for which nobody used them */
    char api_key[SETTINGS_KEY_SIZE];   /* "": none required */
    char tls_cert[SETTINGS_PATH_SIZE]; /* "": no TLS */
    char tls_key[SETTINGS_PATH_SIZE];  /* "": in the file of tls_cert */
    struct load_settings load;         /* for all models */
    struct model_settings models;
    struct model_aliases aliases;
    struct fleet_settings fleet;
};

void settings_init(struct settings *settings);
void settings_clear(struct settings *settings);

/* An independent copy. */
void settings_copy(const struct settings *settings, struct settings *ret_copy);

/* Apply a partial object: all of it or, on failure, nothing. `load`, `models` and `fleet` are
 * merged, and null removes what it stands for (RFC 7396). The stars of settings_show leave a
 * key as it is. Fails with ERR_INVALID_REQUEST and the name in err->param. */
bool settings_patch(struct settings *settings, yyjson_val *patch, struct error *err);
/* Would the patch set another API key, another key of the fleet, or none? */
bool settings_patch_changes_key(const struct settings *settings, yyjson_val *patch);

/* Apply what can be read of saved settings, and return how many members could not: these keep
 * their value, and *ret_first says why for the first. Each entry of `load` and `models` counts
 * by itself. */
int settings_restore(struct settings *settings, yyjson_val *saved, struct error *ret_first);

/* Append the whole as one JSON object. Keys are written as they are: see settings_show. */
void settings_format(const struct settings *settings, struct buf *out);

/* The same for clients, with eight stars instead of each key. */
void settings_show(const struct settings *settings, struct buf *out);

#endif
